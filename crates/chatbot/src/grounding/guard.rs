//! Whether what a model said stands in the passages.

use std::collections::{BTreeSet, HashMap};

use super::{
    claims::{self, Number},
    prompt,
    quote::window,
    sentences::{body, clauses, sentences},
};
use crate::retrieval::{
    Kind, Passage,
    words::{is_silent, words},
};

/// The longest answer that is let pass, in characters.
pub const LONGEST_ANSWER: usize = 600;

/// Why an answer is not let pass. No text holds what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ungrounded {
    /// It says nothing.
    #[error("the answer is empty")]
    Empty,
    /// It says that it does not know, or that it is a model.
    #[error("the answer is about the model")]
    Unknowing,
    /// It is longer than a short answer.
    #[error("the answer is too long")]
    TooLong,
    /// It says the same again and again.
    #[error("the answer repeats itself")]
    Repeats,
    /// It repeats what the model was told, or its marks.
    #[error("the answer holds a part of the prompt")]
    Leaks,
    /// A number, a price or a measure does not stand in the passages, or counts other things there.
    #[error("the answer has a number that is in no passage")]
    Number,
    /// An address, a name or the number of a product does not stand in the passages.
    #[error("the answer has a name or an address that is in no passage")]
    Name,
    /// A day, a currency or a condition does not stand in the sentence that it was made from, or is
    /// left out of it.
    #[error("the answer has a condition that is not that of its passage")]
    Condition,
    /// It denies what its sentence says, or the other way round.
    #[error("the answer denies what its passage says")]
    Denies,
    /// Too few of its words are of one sentence of the passages, or not in their order.
    #[error("the answer is not in the words of a passage")]
    Words,
    /// It is of the passages, and of another part of them than the question.
    #[error("the answer is not about the question")]
    Aside,
}

/// So many of the pairs of words that stand side by side must stand so in its source, too: what is
/// put together from afar may say anything.
const SIDE_BY_SIDE: f32 = 0.6;

/// Sentences of a short answer.
const MOST_SENTENCES: usize = 3;

/// A sentence that says less than so many words says too little to judge it.
const FEWEST_WORDS: usize = 3;

/// Whether an answer may be given. It is refused whenever there is doubt: then a quote is given.
///
/// It takes an answer for grounded if each of its sentences is made of one sentence of the passages:
/// no word besides that tells something, in the same order and mostly side by side, with no number,
/// name, day or condition besides, none of its conditions left out, and no denial more or less; and
/// if one of those is what a quote would hold. The question may lend quantities, and nothing else.
///
/// # Errors
/// The first reason to refuse it.
pub fn check(answer: &str, question: &str, passages: &[Passage]) -> Result<(), Ungrounded> {
    let answer = answer.trim();
    let all_words = words(answer);
    if all_words.is_empty() {
        return Err(Ungrounded::Empty);
    }
    let parts = sentences(answer);
    if answer.chars().count() > LONGEST_ANSWER || parts.len() > MOST_SENTENCES {
        return Err(Ungrounded::TooLong);
    }
    if leaks(answer, &all_words) {
        return Err(Ungrounded::Leaks);
    }
    if is_about_itself(&all_words) {
        return Err(Ungrounded::Unknowing);
    }
    if repeats(&parts, &all_words) {
        return Err(Ungrounded::Repeats);
    }
    codes_stand(answer, passages)?;
    let sources = sources(passages);
    let asked = claims::numbers(question);
    let mut is_to_the_point = false;
    for part in parts {
        let source = source_of(part, &asked, &sources)?;
        is_to_the_point |= quoted(question, passages, source);
    }
    if is_to_the_point {
        Ok(())
    } else {
        Err(Ungrounded::Aside)
    }
}

/// A sentence of a passage.
struct Source<'a> {
    text: &'a str,
    words: Vec<String>,
    telling: Vec<String>,
    numbers: Vec<Number>,
}

// === impl Source ===

impl<'a> Source<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            words: words(text),
            telling: claims::telling(text),
            numbers: claims::numbers(text),
            text,
        }
    }
}

fn sources(passages: &[Passage]) -> Vec<Source<'_>> {
    let mut sources = Vec::new();
    for passage in passages {
        let sentences = match passage.kind {
            Kind::Knowledge => sentences(body(passage)),
            // Its lines, of which each says something of the product by itself.
            Kind::Product { .. } => passage.text.lines().collect(),
        };
        sources.extend(sentences.into_iter().map(Source::of));
    }
    sources
}

/// The source that a sentence is made of; the reason is that of the source that is most like it.
fn source_of<'s, 'a>(
    sentence: &str,
    asked: &[Number],
    sources: &'s [Source<'a>],
) -> Result<&'s Source<'a>, Ungrounded> {
    let said = words(sentence);
    let telling = claims::telling(sentence);
    if telling.len() < FEWEST_WORDS {
        return Err(Ungrounded::Words);
    }
    let mut likeliest: Vec<(usize, &Source<'_>)> = sources
        .iter()
        .map(|source| (in_order(&telling, &source.telling), source))
        .collect();
    // One sentence before two that hold it.
    likeliest.sort_by_key(|(shared, source)| (usize::MAX - shared, source.words.len()));
    let mut reason = Ungrounded::Words;
    for (shared, source) in likeliest {
        if shared < telling.len() {
            break;
        }
        match is_made_of(sentence, &said, &telling, asked, source) {
            Ok(()) => return Ok(source),
            Err(other) if reason == Ungrounded::Words => reason = other,
            Err(_) => {}
        }
    }
    Err(reason)
}

fn is_made_of(
    sentence: &str,
    said: &[String],
    telling: &[String],
    asked: &[Number],
    source: &Source<'_>,
) -> Result<(), Ungrounded> {
    let lent = |number: &Number| number.is_quantity() && number.stands_in(asked);
    let numbers = claims::numbers(sentence);
    if !numbers
        .iter()
        .all(|number| number.stands_in(&source.numbers) || lent(number))
    {
        return Err(Ungrounded::Number);
    }
    let known = |name: &str| {
        let name = words(name);
        name.iter().all(|word| source.words.contains(word))
    };
    if !claims::names(sentence).all(known) {
        return Err(Ungrounded::Name);
    }
    if claims::adds_a_limit(said, &source.words) || claims::drops_a_condition(said, &source.words) {
        return Err(Ungrounded::Condition);
    }
    if claims::turns_a_word(said, &source.words) || denies(sentence, said, source) {
        return Err(Ungrounded::Denies);
    }
    if side_by_side(telling, &source.telling) < SIDE_BY_SIDE {
        return Err(Ungrounded::Words);
    }
    Ok(())
}

/// Whether a sentence says no where its source does not, or leaves out a no.
fn denies(sentence: &str, said: &[String], source: &Source<'_>) -> bool {
    let begins = said.first().map_or("", String::as_str);
    // Whether a yes fits depends on how it was asked, which cannot be told here.
    if matches!(
        begins,
        "yes" | "no" | "sure" | "yeah" | "nope" | "certainly" | "absolutely"
    ) {
        return true;
    }
    let denied = claims::denials(said);
    if denied == claims::denials(&source.words) {
        return false;
    }
    // A no of the source may be left out with its whole clause, if all that is said is of another.
    let own = claims::telling(sentence);
    let holds_all = |clause: &&str| {
        denied == claims::denials(&words(clause))
            && in_order(&own, &claims::telling(clause)) == own.len()
    };
    !clauses(source.text).iter().any(holds_all)
}

/// The length of the longest list of words that both have in the same order.
fn in_order(one: &[String], other: &[String]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for word in one {
        let mut diagonal = 0;
        for (index, against) in other.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if word == against {
                diagonal + 1
            } else {
                above.max(row[index])
            };
            diagonal = above;
        }
    }
    row[other.len()]
}

/// The share of the pairs of neighbours that are neighbours in the other, too.
#[allow(clippy::cast_precision_loss)] // Sentences are short.
fn side_by_side(one: &[String], other: &[String]) -> f32 {
    let pairs = one.windows(2);
    let all = pairs.len().max(1) as f32;
    let shared = pairs.filter(|pair| other.windows(2).any(|own| own == *pair));
    shared.count() as f32 / all
}

/// Whether a source is of what a quote would hold.
fn quoted(question: &str, passages: &[Passage], source: &Source<'_>) -> bool {
    let Some(best) = passages.first() else {
        return false;
    };
    let window = match best.kind {
        Kind::Knowledge => window(question, best),
        Kind::Product { .. } => best.text.lines().collect(),
    };
    window.contains(&source.text)
}

/// Each address and number of a product stands in a passage, letter by letter.
fn codes_stand(answer: &str, passages: &[Passage]) -> Result<(), Ungrounded> {
    let stands = |code: &str| {
        passages.iter().any(|passage| {
            let own = matches!(&passage.kind, Kind::Product { sku } if sku == code);
            own || claims::codes(&passage.text).any(|other| other == code)
        })
    };
    if !claims::codes(answer).all(stands) {
        return Err(Ungrounded::Name);
    }
    let mut signs = claims::signs_of_money(answer);
    if signs.any(|sign| !passages.iter().any(|passage| passage.text.contains(sign))) {
        return Err(Ungrounded::Number);
    }
    Ok(())
}

fn leaks(answer: &str, words: &[String]) -> bool {
    answer.contains(['<', '>', '{', '}', '`', '|'])
        || prompt::is_repeated_in(words)
        || words.windows(2).any(|pair| match pair[0].as_str() {
            "the" => matches!(
                pair[1].as_str(),
                "passage" | "passages" | "facts" | "instruction" | "instructions"
            ),
            "system" => pair[1] == "prompt",
            _ => false,
        })
}

fn is_about_itself(words: &[String]) -> bool {
    let text = format!(" {} ", words.join(" "));
    [
        " i do not know ",
        " i dont know ",
        " i am not sure ",
        " im not sure ",
        " as an ai ",
        " i am an ai ",
        " language model ",
        " i cannot ",
        " i can not ",
        " i am sorry ",
        " im sorry ",
        " i apologize ",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

fn repeats(parts: &[&str], words: &[String]) -> bool {
    let distinct: BTreeSet<String> = parts
        .iter()
        .map(|part| claims::telling(part).join(" "))
        .collect();
    if distinct.len() < parts.len() {
        return true;
    }
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for run in words.windows(4) {
        let count = counts.entry(run).or_default();
        *count += 1;
        let tells = run.iter().any(|word| !is_silent(word));
        if *count > 2 && tells {
            return true;
        }
    }
    let different: BTreeSet<&String> = words.iter().collect();
    words.len() > 20 && different.len() * 5 < words.len() * 2
}
