//! A line while a message is still being read.

use std::ops::Range;

use super::{Line, Quantity, Size, clauses::Part, words};

/// A phrase that is longer is cut.
pub(super) const MOST_WORDS: usize = 12;

/// A line that what comes may still change.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) quantity: Quantity,
    pub(super) unit: Option<String>,
    pub(super) words: Vec<String>,
    pub(super) size: Option<Size>,
    pub(super) span: Range<usize>,
    /// Its quantity is for each of several.
    pub(super) each: bool,
    /// A sentence or line begins with it.
    pub(super) begins: bool,
}

// === impl Draft ===

impl Draft {
    pub(super) fn of(part: Part, quantity: Quantity, each: bool) -> Self {
        Self {
            quantity,
            unit: part.unit,
            words: part.words,
            size: part.size,
            span: part.span,
            each,
            begins: false,
        }
    }

    pub(super) fn needs_a_head(&self) -> bool {
        self.words
            .iter()
            .all(|word| words::kind_of_attribute(word).is_some())
    }

    pub(super) fn names(&self, part: &Part) -> bool {
        part.words
            .iter()
            .all(|word| self.words.iter().any(|other| alike(other, word)))
    }

    /// `kraft 12 inch` is a box.
    pub(super) fn is_told_by_kind_and_size(&self) -> bool {
        self.size.is_some() && !self.words.is_empty()
    }

    pub(super) fn shares_a_word(&self, part: &Part) -> bool {
        let names = |word: &String| self.words.iter().any(|other| alike(other, word));
        part.words.iter().any(names)
    }

    pub(super) fn shares_a_product(&self, part: &Part) -> bool {
        part.words
            .iter()
            .filter(|word| words::is_product(word))
            .any(|word| self.words.iter().any(|other| alike(other, word)))
    }

    pub(super) fn take_head(&mut self, head: &Part) {
        if self.needs_a_head() {
            self.words = with_head(&self.words, &head.words);
            self.size = self.size.or(head.size);
        }
    }

    pub(super) fn change_attributes(&mut self, change: &Part) {
        self.words = with_head(&change.words, &self.words);
        self.size = change.size.or(self.size);
    }

    pub(super) fn add_attributes(&mut self, more: &Part) {
        self.words = with_head(&more.words, &self.words);
    }

    /// `None` where a number stood alone and nothing tells that it is an order.
    pub(super) fn line(self) -> Option<Line> {
        let mut words = self.words;
        if words.is_empty() {
            words.extend(self.unit.filter(|unit| !words::is_only_a_unit(unit)));
        } else if self
            .unit
            .is_some_and(|unit| words::singular(&unit) == "roll")
        {
            // `10 rolls of greaseproof paper` are no sheets.
            let comes_so = |word: &String| matches!(word.as_str(), "paper" | "foil" | "film");
            let is_roll = |word: &String| words::singular(word) == "roll";
            if words.iter().any(comes_so) && !words.iter().any(is_roll) {
                words.push("roll".to_owned());
            }
        }
        if words.is_empty() && self.size.is_none() && self.quantity == Quantity::Missing {
            return None;
        }
        Some(Line {
            quantity: self.quantity,
            phrase: words.join(" "),
            size: self.size,
            span: self.span,
        })
    }
}

// === impl Part ===

impl Part {
    pub(super) fn take_head(&mut self, head: &Part) {
        self.words = with_head(&self.words, &head.words);
        self.size = self.size.or(head.size);
    }
}

/// The words of `head`, in which attributes take the place of those of their kind.
pub(super) fn with_head(attributes: &[String], head: &[String]) -> Vec<String> {
    let kinds: Vec<Option<u8>> = attributes
        .iter()
        .map(|word| words::kind_of_attribute(word))
        .collect();
    let kept = head.iter().filter(|word| {
        let kind = words::kind_of_attribute(word);
        kind.is_none() || !kinds.contains(&kind)
    });
    attributes
        .iter()
        .chain(kept)
        .take(MOST_WORDS)
        .cloned()
        .collect()
}

pub(super) fn alike(one: &str, other: &str) -> bool {
    words::singular(one) == words::singular(other)
}
