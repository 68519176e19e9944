//! What the tokens of a message are to an order: quantities, sizes and words. Numbers that count
//! nothing are left out.

mod counting;
mod steering;

use std::ops::Range;

use super::{
    Quantity, Size, cues,
    numbers::{Number, number_at},
    tokens::{Kind as TokenKind, Token},
    words,
};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Quantity(Quantity),
    Size(Size),
    /// In which a quantity is counted.
    Unit(String),
    Word(String),
    /// Between lines.
    Separator,
    /// Between lines of which only one is wanted.
    Either,
    /// An order that was made before, which nobody can tell from the message.
    Before,
    /// Between sentences.
    End,
    /// After what belongs to all that follows.
    Colon,
}

/// Stands for `instead of` and `rather than`.
pub(super) const INSTEAD: &str = "instead of";

struct Reader<'a> {
    tokens: &'a [Token],
    next: usize,
    marks: Vec<Mark>,
}

pub(super) fn marks(tokens: &[Token]) -> Vec<Mark> {
    let mut reader = Reader {
        tokens,
        next: 0,
        marks: Vec::new(),
    };
    while reader.next < tokens.len() {
        reader.step();
    }
    reader.marks
}

// === impl Reader ===

impl Reader<'_> {
    fn word(&self, index: usize) -> Option<&str> {
        self.tokens.get(index).and_then(Token::word)
    }

    fn is(&self, index: usize, sign: char) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is(sign))
    }

    fn glued(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| token.glued)
    }

    /// Takes the tokens up to `end` as one mark.
    fn push(&mut self, end: usize, kind: Kind) {
        let span = self.tokens[self.next].span.start..self.tokens[end - 1].span.end;
        self.marks.push(Mark { kind, span });
        self.next = end;
    }

    fn step(&mut self) {
        let here = self.next;
        if let Some(number) = number_at(self.tokens, here)
            && !self.is_a_pronoun(here, &number)
        {
            return self.number(&number);
        }
        match &self.tokens[here].kind {
            TokenKind::NewLine => self.push(here + 1, Kind::End),
            TokenKind::Sign(sign) => self.sign(*sign),
            TokenKind::Word(word) => {
                let word = word.clone();
                self.a_word(word);
            }
            TokenKind::Number(_) => self.next += 1,
        }
    }

    fn sign(&mut self, sign: char) {
        let here = self.next;
        match sign {
            ',' | '&' | '+' | '/' | ';' | '|' => self.push(here + 1, Kind::Separator),
            '.' | '!' | '?' | '•' | '*' | '·' | '…' => self.push(here + 1, Kind::End),
            ':' => self.push(here + 1, Kind::Colon),
            '#' | '£' | '$' | '€'
                if self
                    .tokens
                    .get(here + 1)
                    .is_some_and(|t| t.number().is_some()) =>
            {
                self.next = here + 2;
            }
            // Negative: it touches the number and not what stands before.
            '-' | '−' if self.is_negative(here) => {
                let end = number_at(self.tokens, here + 1).map_or(here + 1, |number| number.end);
                self.push(end, Kind::Quantity(Quantity::Unclear));
            }
            '-' | '–' | '—' if self.parts_words(here) => self.push(here + 1, Kind::Separator),
            _ => self.next += 1,
        }
    }

    /// A dash between words, with room on both sides. Before a number it is nothing.
    fn parts_words(&self, dash: usize) -> bool {
        let apart = !self.glued(dash) && !self.glued(dash + 1);
        let word = self.word(dash + 1).is_some() && number_at(self.tokens, dash + 1).is_none();
        apart && word && !self.begins_line(dash)
    }

    fn begins_line(&self, token: usize) -> bool {
        token == 0 || self.tokens[token - 1].kind == TokenKind::NewLine
    }

    fn is_negative(&self, sign: usize) -> bool {
        let number = self.tokens.get(sign + 1);
        let touches = number.is_some_and(|next| next.glued && next.number().is_some());
        // At the beginning of several lines it is the dash of a list.
        let dashes =
            (0..self.tokens.len()).filter(|&token| self.is(token, '-') && self.begins_line(token));
        let lists = self.begins_line(sign) && dashes.take(2).count() > 1;
        touches && !self.glued(sign) && !lists
    }

    fn a_word(&mut self, word: String) {
        let here = self.next;
        if word == "minus"
            && let Some(number) = number_at(self.tokens, here + 1)
        {
            return self.push(number.end, Kind::Quantity(Quantity::Unclear));
        }
        if self.steers(&word) {
            return;
        }
        if matches!(word.as_str(), "a" | "one" | "another" | "an")
            && self
                .word(here + 1)
                .is_some_and(|next| words::is_unit(next) && !next.ends_with('s'))
        {
            return self.push(here + 1, Kind::Quantity(Quantity::Packs(1)));
        }
        if cues::is_vague(&word) {
            let end = here + 1 + usize::from(self.word(here + 1) == Some("of"));
            return self.push(end, Kind::Quantity(Quantity::Unclear));
        }
        let counted = matches!(self.last(), Some(Kind::Quantity(_)));
        // `2 packs of 100`: the number tells what is in a pack.
        if counted && (words::is_unit(&word) || words::is_almost_a_unit(&word)) {
            let of = self.word(here + 1) == Some("of");
            let inside = of.then(|| number_at(self.tokens, here + 2)).flatten();
            self.push(here + 1, Kind::Unit(word));
            if let Some(number) = inside
                && self.size(&number).is_none()
                && self.measure(here + 2, &number).is_none()
            {
                self.next = number.end;
            }
            return;
        }
        if matches!(word.as_str(), "x" | "×") {
            self.next += 1;
            return;
        }
        if word == "w" {
            return self.push(here + 1, Kind::Word("with".to_owned()));
        }
        if cues::separates(&word) {
            self.push(here + 1, Kind::Separator);
            if !cues::adds(&word) {
                return;
            }
            self.next = here;
        }
        self.push(here + 1, Kind::Word(word));
    }

    fn last(&self) -> Option<&Kind> {
        self.marks.last().map(|mark| &mark.kind)
    }

    /// `the one`, `this one`, and `one` where no unit and no product follows at once.
    fn is_a_pronoun(&self, here: usize, number: &Number) -> bool {
        self.word(here) == Some("one")
            && number.end == here + 1
            && here
                .checked_sub(1)
                .and_then(|before| self.word(before))
                .is_some_and(|before| {
                    matches!(
                        before,
                        "the"
                            | "this"
                            | "that"
                            | "which"
                            | "any"
                            | "each"
                            | "last"
                            | "every"
                            | "no"
                            | "inch"
                            | "large"
                            | "small"
                            | "next"
                            | "single"
                            | "only"
                    )
                })
    }
}

fn names_a_product(word: &str) -> bool {
    words::is_product(word) || matches!(words::kind_of_attribute(word), Some(0..=3))
}
