//! An answer that is made of the passages alone.

use std::collections::{BTreeSet, HashMap};

use super::sentences::{body, sentences};
use crate::retrieval::{Kind, Passage, words};

/// An answer in the words of passages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// One to three sentences, or as many for products; empty without passages.
    pub text: String,
    /// The passages that it is from, by their place among those that were given.
    pub used: Vec<usize>,
}

/// The most sentences of a passage.
const MOST_SENTENCES: usize = 3;

/// A product is named beside the best one, if its score is at most so much lower.
const AS_GOOD: f32 = 0.05;

/// The most products that are named beside the best one.
const MOST_OTHERS: usize = 2;

/// What a sentence is worth for being the first, beside the words that it shares with the question.
const FIRST: f32 = 0.3;

/// What a quote loses if its first sentence points at one that is left out.
const POINTS_BACK: f32 = 1.0;

/// The sentences of the best passage that answer the question best, as they stand there; of a
/// product, what it is. The passages are the best first, as they were found.
pub fn quote(question: &str, passages: &[Passage]) -> Quote {
    let Some(best) = passages.first() else {
        return Quote::default();
    };
    match &best.kind {
        Kind::Knowledge => Quote {
            text: window(question, best).join(" "),
            used: vec![0],
        },
        Kind::Product { sku } => products(best, sku, passages),
    }
}

/// The sentences of a passage of knowledge that stand together and answer best.
pub(super) fn window<'a>(question: &str, passage: &'a Passage) -> Vec<&'a str> {
    let sentences = sentences(body(passage));
    if sentences.len() <= MOST_SENTENCES {
        return sentences;
    }
    let asked: BTreeSet<String> = words::terms(question).into_iter().collect();
    let told: Vec<BTreeSet<String>> = sentences
        .iter()
        .map(|sentence| words::terms(sentence).into_iter().collect())
        .collect();
    let mut counts: HashMap<&str, f32> = HashMap::new();
    for term in told.iter().flatten() {
        *counts.entry(term).or_default() += 1.0;
    }
    let worth = |start: usize| -> f32 {
        let here: BTreeSet<&String> = told[start..start + MOST_SENTENCES]
            .iter()
            .flatten()
            .collect();
        let shared = asked.iter().filter(|term| here.contains(term));
        let shared: f32 = shared.map(|term| 1.0 / counts[term.as_str()]).sum();
        let first = if start == 0 { FIRST } else { 0.0 };
        let back = if start > 0 && points_back(sentences[start]) {
            POINTS_BACK
        } else {
            0.0
        };
        shared + first - back
    };
    let starts = 0..=sentences.len() - MOST_SENTENCES;
    // Of equals the earliest: the last of `max_by` over the starts turned round.
    let start = starts
        .rev()
        .max_by(|one, other| worth(*one).total_cmp(&worth(*other)))
        .unwrap_or_default();
    sentences[start..start + MOST_SENTENCES].to_vec()
}

/// Whether a sentence needs the one before it.
fn points_back(sentence: &str) -> bool {
    const POINTERS: [&str; 12] = [
        "it", "its", "they", "their", "this", "that", "these", "those", "then", "both", "neither",
        "later",
    ];
    let words = words::words(sentence);
    let mut beginning = words.iter().take(2).map(String::as_str);
    let first = beginning.next().unwrap_or_default();
    POINTERS.contains(&first) || beginning.any(|second| POINTERS.contains(&second))
}

/// A fixed sentence for the best product, and the names of others that are as good.
fn products(best: &Passage, sku: &str, passages: &[Passage]) -> Quote {
    let mut text = described(best, sku);
    let mut used = vec![0];
    let mut others = Vec::new();
    for (index, passage) in passages.iter().enumerate().skip(1) {
        let Kind::Product { sku } = &passage.kind else {
            continue;
        };
        if best.score - passage.score <= AS_GOOD && others.len() < MOST_OTHERS {
            others.push(format!("{} ({sku})", passage.section));
            used.push(index);
        }
    }
    if !others.is_empty() {
        text.push_str(" We also have: ");
        text.push_str(&others.join("; "));
        text.push('.');
    }
    Quote { text, used }
}

fn described(product: &Passage, sku: &str) -> String {
    let name = &product.section;
    let mut about = vec![sku.to_owned()];
    let mut description = String::new();
    for line in product.text.lines().skip(1) {
        match line.split_once(": ") {
            Some(("size", size)) if !name.contains(size) => about.push(size.to_owned()),
            Some(("material", material)) => about.push(material.to_owned()),
            Some(("size" | "category", _)) => {}
            _ => description.push_str(line),
        }
    }
    let about = about.join(", ");
    if description.is_empty() {
        return format!("We have this: {name} ({about}).");
    }
    let point = if description.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{name} ({about}): {description}{point}")
}
