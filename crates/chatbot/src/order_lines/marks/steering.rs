//! Words that are read together, and steer how the rest is read.

use super::{INSTEAD, Kind, Reader, names_a_product};
use crate::order_lines::{
    Quantity, cues,
    numbers::{Number, number_at},
    words,
};

impl Reader<'_> {
    /// Takes words that are read together, if such begin here.
    pub(super) fn steers(&mut self, word: &str) -> bool {
        let here = self.next;
        let next = self.word(here + 1).unwrap_or_default();
        let is_unit = |index: usize| self.word(index).is_some_and(words::is_unit);
        let (end, kind) = match word {
            // Whoever must not forget it wants it.
            "dont" | "not" | "never" if next == "forget" => (here + 2, None),
            "instead" if next == "of" => (here + 2, Some(Kind::Word(INSTEAD.to_owned()))),
            "rather" if next == "than" => (here + 2, Some(Kind::Word(INSTEAD.to_owned()))),
            "many" if matches!(next, "thanks" | "greetings" | "regards") => (here + 1, None),
            "leave" if matches!(next, "out" | "off") => {
                (here + 2, Some(Kind::Word("without".to_owned())))
            }
            "no" if matches!(next, "wait" | "make" | "sorry" | "actually" | "better") => {
                (here + 1, Some(Kind::Separator))
            }
            "or" if matches!(next, "rather" | "better" | "actually") => {
                (here + 1, Some(Kind::Separator))
            }
            "or" if self.is_a_hedged_quantity(here + 1) => (here + 1, Some(Kind::Either)),
            "between" | "from" => {
                let high = self.range(here + 1);
                match (self.end_of_a_range(here + 1), high) {
                    (Some(end), _) => (end, Some(Kind::Quantity(Quantity::Unclear))),
                    // `between 8 and 10` are times.
                    (None, Some(high)) => (high.end, None),
                    (None, None) => return false,
                }
            }
            // What is in a pack is no quantity, and neither is that pack.
            "in" | "per" => {
                let article = matches!(next, "a" | "an" | "one" | "each" | "every");
                let unit = here + 1 + usize::from(article);
                if !is_unit(unit) || (word == "in" && !article) {
                    return false;
                }
                (unit + 1, None)
            }
            "half" => {
                let unit = here + 1 + usize::from(matches!(next, "a" | "of"));
                if !is_unit(unit) {
                    return false;
                }
                (unit, Some(Kind::Quantity(Quantity::Unclear)))
            }
            "usual" if !self.names_or_counts(here + 1) => (here + 1, Some(Kind::Before)),
            "whatever" if matches!(next, "i" | "we" | "you") => (here + 2, Some(Kind::Before)),
            "same" if next == "as" && self.word(here + 2).is_some_and(cues::tells_before) => {
                (here + 3, Some(Kind::Before))
            }
            _ => return false,
        };
        match kind {
            Some(kind) => self.push(end, kind),
            None => self.next = end,
        }
        true
    }

    /// A number stands here, maybe after a word that makes it less sure.
    fn is_a_hedged_quantity(&self, mut here: usize) -> bool {
        while self.word(here).is_some_and(cues::hedges) {
            here += 1;
        }
        number_at(self.tokens, here).is_some_and(|number| {
            self.size(&number).is_none() && self.measure(here, &number).is_none()
        })
    }

    /// The second number of `5 and 8` or `5 to 8`.
    fn range(&self, here: usize) -> Option<Number> {
        let low = number_at(self.tokens, here)?;
        let joined = matches!(self.word(low.end), Some("and" | "to"));
        number_at(self.tokens, low.end + 1).filter(|_| joined)
    }

    /// Where `5 and 8` or `5 to 8` ends, if they may be quantities.
    fn end_of_a_range(&self, here: usize) -> Option<usize> {
        let high = self.range(here)?;
        let counts =
            self.word(high.end).is_some_and(words::is_unit) || self.names_or_counts(high.end);
        (counts && self.size(&high).is_none()).then_some(high.end)
    }

    /// A quantity was named since the last separator.
    pub(super) fn has_counted(&self) -> bool {
        let ends = |kind: &Kind| matches!(kind, Kind::Separator | Kind::End | Kind::Either);
        let mut kinds = self.marks.iter().rev().map(|mark| &mark.kind);
        kinds
            .by_ref()
            .take_while(|kind| !ends(kind))
            .any(|kind| matches!(kind, Kind::Quantity(_)))
    }

    fn names_or_counts(&self, here: usize) -> bool {
        number_at(self.tokens, here).is_some() || self.word(here).is_some_and(names_a_product)
    }
}
