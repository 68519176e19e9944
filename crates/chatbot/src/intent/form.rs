//! The form of a message: its words with those of products taken for one, as what is sold tells
//! nothing of what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use super::Intent;
use crate::order_lines::is_product;

/// How often each word and each pair of words stands in the examples of an intent.
#[derive(Debug, Default)]
pub(super) struct Forms {
    counts: BTreeMap<String, [f32; Intent::ALL.len()]>,
    examples: [f32; Intent::ALL.len()],
}

/// What a word counts that no example has.
const UNSEEN: f32 = 0.3;

/// The words in lowercase, each run of words of products as `goods`; never empty, as the model
/// has no vector for nothing.
pub(super) fn masked(message: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let text = message.to_lowercase().replace('’', "'");
    let parts = text.split_inclusive(|part: char| !part.is_alphanumeric() && part != '\'');
    for part in parts {
        let word = part.trim_end_matches(|last: char| !last.is_alphanumeric() && last != '\'');
        let word = if is_of_goods(word) { "goods" } else { word };
        let again = word == "goods" && words.last() == Some(&"goods");
        if !word.is_empty() && !again {
            words.push(word);
        }
        let sign = part[part.len() - part.chars().next_back().map_or(0, char::len_utf8)..].trim();
        if matches!(sign, "?" | "!" | "#") {
            words.push(sign);
        }
    }
    if words.is_empty() {
        return ".".to_owned();
    }
    words.join(" ")
}

fn is_of_goods(word: &str) -> bool {
    is_product(word)
        || matches!(
            word,
            "kraft"
                | "white"
                | "printed"
                | "brown"
                | "plain"
                | "nitrile"
                | "vinyl"
                | "wooden"
                | "thermal"
                | "greaseproof"
                | "carrier"
                | "slice"
                | "slices"
                | "salad"
        )
}

/// The words of a masked message and its pairs of words.
fn parts(masked: &str) -> BTreeSet<String> {
    let words: Vec<&str> = masked.split(' ').collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words
        .iter()
        .map(|word| (*word).to_owned())
        .chain(pairs)
        .collect()
}

// === impl Forms ===

impl Forms {
    pub(super) fn add(&mut self, intent: Intent, masked: &str) {
        self.examples[intent as usize] += 1.0;
        for part in parts(masked) {
            self.counts.entry(part).or_default()[intent as usize] += 1.0;
        }
    }

    /// How much likelier than by chance the parts of a message are for each intent, in the order
    /// of [`Intent::ALL`]. Long messages do not outweigh.
    pub(super) fn of(&self, masked: &str) -> [f32; Intent::ALL.len()] {
        let parts = parts(masked);
        let all: f32 = self.examples.iter().sum();
        let many = f32::from(u16::try_from(Intent::ALL.len()).unwrap_or(1));
        let mut sums = [0.0; Intent::ALL.len()];
        for counts in parts.iter().filter_map(|part| self.counts.get(part)) {
            let seen: f32 = counts.iter().sum();
            let chance = (seen + many * UNSEEN) / (all + 2.0 * many * UNSEEN);
            for ((sum, count), examples) in sums.iter_mut().zip(counts).zip(self.examples) {
                *sum += ((count + UNSEEN) / (examples + 2.0 * UNSEEN) / chance).ln();
            }
        }
        let length = f32::from(u16::try_from(parts.len()).unwrap_or(u16::MAX));
        sums.map(|sum| sum / length.max(1.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_products_are_one() {
        assert_eq!(
            masked("How much are the Kraft pizza boxes?"),
            "how much are the goods ?"
        );
        assert_eq!(masked(" \n"), ".");
    }

    #[test]
    fn the_form_of_an_example_speaks_for_its_intent() {
        let mut forms = Forms::default();
        forms.add(Intent::ProductInquiry, &masked("how much are the boxes"));
        forms.add(Intent::OrderPlacement, &masked("send me boxes"));
        let of = forms.of(&masked("how much are napkins"));
        assert!(of[Intent::ProductInquiry as usize] > of[Intent::OrderPlacement as usize]);
        assert!(forms.of("zebra").iter().all(|score| *score == 0.0));
    }
}
