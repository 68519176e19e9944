//! What the tokens of a message are to an order: quantities, sizes and words. Numbers that count
//! nothing are left out.

use std::ops::Range;

use super::{
    Quantity, Size,
    numbers::{Number, Value, number_at},
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
    /// Between sentences.
    End,
    /// After what belongs to all that follows.
    Colon,
}

/// More digits than this make no quantity but a number of something.
const MOST_DIGITS: usize = 6;
/// As many words may stand between the number and the name of a street.
const WORDS_OF_A_STREET: usize = 4;

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
            _ => self.next += 1,
        }
    }

    fn is_negative(&self, sign: usize) -> bool {
        let number = self.tokens.get(sign + 1);
        let touches = number.is_some_and(|next| next.glued && next.number().is_some());
        // At the beginning of a line it may be the dash of a list.
        let begins = sign == 0 || self.tokens[sign - 1].kind == TokenKind::NewLine;
        touches && !self.glued(sign) && !begins
    }

    fn a_word(&mut self, word: String) {
        let here = self.next;
        if word == "minus"
            && let Some(number) = number_at(self.tokens, here + 1)
        {
            return self.push(number.end, Kind::Quantity(Quantity::Unclear));
        }
        if matches!(word.as_str(), "a" | "one" | "another" | "an")
            && self
                .word(here + 1)
                .is_some_and(|next| words::is_unit(next) && !next.ends_with('s'))
        {
            return self.push(here + 1, Kind::Quantity(Quantity::Packs(1)));
        }
        if words::is_vague(&word) {
            let end = here + 1 + usize::from(self.word(here + 1) == Some("of"));
            return self.push(end, Kind::Quantity(Quantity::Unclear));
        }
        let counted = matches!(self.last(), Some(Kind::Quantity(_)));
        // `2 packs of 100`: the number tells what is in a pack.
        if counted && words::is_unit(&word) {
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
        let kind = if words::separates(&word) {
            Kind::Separator
        } else {
            Kind::Word(word)
        };
        self.push(here + 1, kind);
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

    fn number(&mut self, number: &Number) {
        let here = self.next;
        if let Some((size, end)) = self.size(number) {
            return self.push(end, Kind::Size(size));
        }
        if let Some((measure, end)) = self.measure(here, number) {
            return self.push(end, Kind::Word(measure));
        }
        if self.is_an_item_of_a_list(here, number.end) {
            return self.push(number.end + 1, Kind::End);
        }
        if let Some(end) = self.counts_nothing(here, number) {
            self.next = end;
            return;
        }
        let (quantity, end) = self.quantity(number);
        self.push(end, Kind::Quantity(quantity));
    }

    fn quantity(&self, number: &Number) -> (Quantity, usize) {
        let Value::Whole(count) = number.value else {
            return (Quantity::Unclear, number.end);
        };
        let either = matches!(self.word(number.end), Some("or" | "to"));
        if either
            && let Some(other) = number_at(self.tokens, number.end + 1)
            && self.size(&other).is_none()
        {
            return (Quantity::Unclear, other.end);
        }
        (Quantity::of(count), number.end)
    }

    /// A size that begins at a number.
    fn size(&self, number: &Number) -> Option<(Size, usize)> {
        let value = match number.value {
            #[allow(clippy::cast_precision_loss)] // Sizes are small.
            Value::Whole(value @ 1..=400) => value as f64,
            Value::Decimal(value) => value,
            _ => return None,
        };
        let mut end = number.end;
        // `12x12 inch` is 12 inches wide.
        if matches!(self.word(end), Some("x" | "×"))
            && let Some(other) = number_at(self.tokens, end + 1)
            && other.value == number.value
        {
            end = other.end;
        }
        if self.is(end, '-') && self.word(end + 1).is_some() {
            end += 1;
        }
        let inches = match &self.tokens.get(end)?.kind {
            TokenKind::Sign('"' | '″' | '”' | '“') => value,
            TokenKind::Sign('\'' | '’' | '′')
                if self.is(end + 1, '\'') || self.is(end + 1, '’') =>
            {
                end += 1;
                value
            }
            TokenKind::Word(unit) => match unit.as_str() {
                "inch" | "inches" | "inchs" | "inche" | "ins" => value,
                "in" if end == number.end && self.glued(end) => value,
                "in" if end > number.end => value,
                "in" if number.digits && self.word(end + 1).is_some_and(names_a_product) => value,
                "cm" | "cms" | "centimetre" | "centimetres" | "centimeter" | "centimeters" => {
                    value / 2.54
                }
                _ => return None,
            },
            _ => return None,
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // At most 400.
        let inches = inches.round().clamp(0.0, 400.0) as u32;
        (inches > 0).then_some((Size::of_inches(inches), end + 1))
    }

    /// A measure that begins at a number, as `12oz` or `80x80mm`.
    fn measure(&self, here: usize, number: &Number) -> Option<(String, usize)> {
        let text = self.tokens[here].number()?.to_owned();
        if !number.digits {
            return None;
        }
        let mut end = number.end;
        if self.is(end, '-') && self.glued(end) {
            end += 1;
        }
        let unit = self.word(end)?;
        if words::is_measure(unit) {
            return Some((format!("{text}{unit}"), end + 1));
        }
        if matches!(unit, "x" | "×") {
            let other = number_at(self.tokens, end + 1)?;
            if self.tokens[end + 1].number().is_some() && !self.is_negative(end + 1) {
                let unit = self
                    .word(other.end)
                    .filter(|unit| words::is_measure(unit))?;
                let second = self.tokens[end + 1].number()?;
                return Some((format!("{text}x{second}{unit}"), other.end + 1));
            }
        }
        None
    }

    /// Where a number ends that is a time, a date, a price, an address or the name of something.
    fn counts_nothing(&self, here: usize, number: &Number) -> Option<usize> {
        let end = number.end;
        let after = self.word(end);
        let counted = after.is_some_and(|next| words::is_unit(next) || names_a_product(next))
            || matches!(after, Some("x" | "×"));
        if number.value == Value::Other {
            return Some(end);
        }
        if matches!(number.value, Value::Decimal(_)) && !counted {
            return Some(end);
        }
        if self.is(end, '%') {
            return Some(end + 1);
        }
        if after.is_some_and(|next| {
            words::is_measure_of_time_or_money(next) || (words::is_month(next) && next != "may")
        }) {
            return Some(end + 1);
        }
        let before = here.checked_sub(1);
        // `No.` and `ref:` hold a sign before the number.
        let label = match before {
            Some(at) if self.is(at, ':') || self.is(at, '.') || self.is(at, '#') => {
                at.checked_sub(1)
            }
            other => other,
        };
        let label = label.and_then(|at| self.word(at));
        let text = self.tokens[here].number().unwrap_or_default();
        if number.digits
            && (text.starts_with('0') && text.len() > 2 || (text.len() > MOST_DIGITS && !counted))
        {
            return Some(self.end_of_phone_number(end));
        }
        if label.is_some_and(words::is_month) && !counted {
            return Some(end);
        }
        if label.is_some_and(words::labels_a_number) && !counted {
            return Some(end);
        }
        if matches!(label, Some("order" | "orders")) && text.len() >= 4 && !counted {
            return Some(end);
        }
        let word_before = before.and_then(|at| self.word(at));
        if matches!(word_before, Some("last" | "previous")) {
            return Some(end);
        }
        if word_before.is_some_and(words::tells_a_time) && !counted {
            return Some(end);
        }
        if number.digits {
            self.end_of_address(end)
        } else {
            None
        }
    }

    /// `1)` anywhere, and `1.` at the beginning of a line.
    fn is_an_item_of_a_list(&self, here: usize, end: usize) -> bool {
        let begins = here == 0 || self.tokens[here - 1].kind == TokenKind::NewLine;
        let opened = here > 0 && self.tokens[here - 1].is('(');
        (self.is(end, ')') && self.glued(end) && !opened)
            || (begins
                && self.is(end, '.')
                && self.tokens.get(end + 1).is_some_and(|next| !next.glued))
    }

    fn end_of_phone_number(&self, mut end: usize) -> usize {
        while self
            .tokens
            .get(end)
            .and_then(Token::number)
            .is_some_and(|part| part.len() >= 3)
        {
            end += 1;
        }
        end
    }

    fn end_of_address(&self, end: usize) -> Option<usize> {
        for index in end..end + WORDS_OF_A_STREET {
            let word = self.word(index)?;
            if words::is_unit(word) || words::separates(word) || names_a_product(word) {
                return None;
            }
            if index > end && words::is_street(word) {
                return Some(index + 1);
            }
        }
        None
    }
}

fn names_a_product(word: &str) -> bool {
    words::is_product(word) || matches!(words::kind_of_attribute(word), Some(0..=3))
}
