//! What a number is: a quantity, a size, a measure, or none of them.

use super::{Kind, Reader, names_a_product};
use crate::order_lines::{
    Quantity, Size, cues,
    numbers::{Number, Value, number_at},
    spelling::is_misspelt,
    tokens::{Kind as TokenKind, Token},
    words,
};

/// More digits than this make no quantity but a number of something.
const MOST_DIGITS: usize = 6;
/// As many words may stand between the number and the name of a street.
const WORDS_OF_A_STREET: usize = 4;

impl Reader<'_> {
    pub(super) fn number(&mut self, number: &Number) {
        let here = self.next;
        if let Some((size, end)) = self.size(number) {
            return self.push(end, Kind::Size(size));
        }
        if let Some((measure, end)) = self.measure(here, number) {
            // Nothing that is sold is counted so.
            let of_a_mass = self.word(end) == Some("of") && !self.has_counted();
            let kind = if of_a_mass {
                Kind::Quantity(Quantity::Unclear)
            } else {
                Kind::Word(measure)
            };
            return self.push(end, kind);
        }
        if self.is_an_item_of_a_list(here, number.end) {
            return self.push(number.end + 1, Kind::End);
        }
        if let Some(end) = self.counts_nothing(here, number) {
            self.next = end;
            return;
        }
        if let Some(end) = self.runs_on(number.end) {
            return self.push(end, Kind::Quantity(Quantity::Unclear));
        }
        let (quantity, end) = self.quantity(number);
        self.push(end, Kind::Quantity(quantity));
    }

    /// Where `1e9` or `2x10` ends, which are no plain quantities; `4x12 inch` is.
    fn runs_on(&self, end: usize) -> Option<usize> {
        let glued = |at: usize| self.tokens.get(at).filter(|token| token.glued);
        let word = glued(end).and_then(Token::word)?;
        glued(end + 1).and_then(Token::number)?;
        let times = matches!(word, "x" | "×");
        let number = number_at(self.tokens, end + 1)?;
        let sized = self.size(&number).is_some() || self.measure(end + 1, &number).is_some();
        (!times || !sized).then_some(number.end)
    }

    fn quantity(&self, number: &Number) -> (Quantity, usize) {
        let Value::Whole(count) = number.value else {
            return (Quantity::Unclear, number.end);
        };
        let either = matches!(self.word(number.end), Some("or" | "to"));
        let mut begin = number.end + 1;
        while either && self.word(begin).is_some_and(cues::hedges) {
            begin += 1;
        }
        if either
            && let Some(other) = number_at(self.tokens, begin)
            && self.size(&other).is_none()
        {
            return (Quantity::Unclear, other.end);
        }
        (Quantity::of(count), number.end)
    }

    /// A size that begins at a number.
    pub(super) fn size(&self, number: &Number) -> Option<(Size, usize)> {
        let value = match number.value {
            #[allow(clippy::cast_precision_loss)] // Sizes are small.
            Value::Whole(value @ 1..=400) => value as f64,
            Value::Decimal(value) => value,
            _ => return None,
        };
        let mut end = number.end;
        // `12x12 inch` is 12 inches wide, and `12 x 12 inch` is so once a quantity was named.
        if matches!(self.word(end), Some("x" | "×"))
            && (self.glued(end) || self.has_counted())
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
            TokenKind::Word(unit) if number.digits && is_misspelt(unit, "inch") => value,
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
    pub(super) fn measure(&self, here: usize, number: &Number) -> Option<(String, usize)> {
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
        if self.tells_what_is_in_one(end) || self.tells_a_rate(end) {
            return Some(end);
        }
        if after.is_some_and(|next| {
            let dated = next != "may" || self.is_dated(here);
            words::is_measure_of_time_or_money(next) || (words::is_month(next) && dated)
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

    /// `on` or the like stands before.
    fn is_dated(&self, here: usize) -> bool {
        let before = here.checked_sub(1).and_then(|before| self.word(before));
        matches!(
            before,
            Some("on" | "by" | "until" | "before" | "from" | "since" | "of")
        )
    }

    /// `in a pack` or `per pack` stands here.
    fn tells_what_is_in_one(&self, here: usize) -> bool {
        let article = self.word(here + 1);
        match self.word(here) {
            Some("in") => matches!(article, Some("a" | "one" | "each" | "every")),
            Some("per" | "each") => article.is_some_and(words::is_unit),
            _ => false,
        }
    }

    /// `a week` or `packs per day` stands here.
    fn tells_a_rate(&self, here: usize) -> bool {
        let here = here + usize::from(self.word(here).is_some_and(words::is_unit));
        let each = matches!(self.word(here), Some("a" | "per" | "each" | "every"));
        let times = |word| {
            matches!(
                word,
                "day" | "night" | "week" | "weekend" | "month" | "year"
            )
        };
        each && self.word(here + 1).is_some_and(times)
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
            if words::is_unit(word) || cues::separates(word) || names_a_product(word) {
                return None;
            }
            if index > end && words::is_street(word) {
                return Some(index + 1);
            }
        }
        None
    }
}
