//! Numbers in digits and in words.

use super::tokens::Token;

/// A number, and the index of the first token after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: Value,
    pub(super) end: usize,
    /// Whether it is written in digits alone.
    pub(super) digits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Whole(u64),
    /// With digits after the point.
    Decimal(f64),
    /// As in `5-6`.
    Range,
    /// A time, a date or a reference, as in `11:30`, `6/7/24` or `2024-118`.
    Other,
}

/// The number that begins at this token.
pub(super) fn number_at(tokens: &[Token], begin: usize) -> Option<Number> {
    let token = tokens.get(begin)?;
    if let Some(text) = token.number() {
        let mut value = written(text);
        let mut end = begin + 1;
        if let Value::Whole(count) = value
            && let Some(times) = multiplier_after(tokens, end)
        {
            value = Value::Whole(count.saturating_mul(times));
            end += 1;
        }
        let digits = end == begin + 1;
        return Some(Number { value, end, digits });
    }
    let (value, end) = in_words(tokens, begin)?;
    let value = Value::Whole(value);
    Some(Number {
        value,
        end,
        digits: false,
    })
}

/// As in `2 dozen` or `2k`.
fn multiplier_after(tokens: &[Token], end: usize) -> Option<u64> {
    let unit = word(tokens, end)?;
    let thousand = unit == "k" && tokens[end].glued;
    if thousand {
        Some(1_000)
    } else {
        multiplier(unit)
    }
}

fn written(text: &str) -> Value {
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b',')
    {
        let digits = text.replace(',', "");
        // More digits than a number holds are too many in any case.
        return Value::Whole(digits.parse().unwrap_or(u64::MAX));
    }
    let parts: Vec<&str> = text.split('-').collect();
    if let [low, high] = parts[..]
        && low.len() <= 3
        && high.len() <= 3
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        return Value::Range;
    }
    match text.parse() {
        Ok(value) => Value::Decimal(value),
        Err(_) => Value::Other,
    }
}

fn word(tokens: &[Token], index: usize) -> Option<&str> {
    tokens.get(index).and_then(Token::word)
}

fn in_words(tokens: &[Token], begin: usize) -> Option<(u64, usize)> {
    let mut end = begin;
    let mut count: Option<u64> = match word(tokens, begin)? {
        "half" => {
            let article = usize::from(word(tokens, begin + 1) == Some("a"));
            let dozen = word(tokens, begin + 1 + article) == Some("dozen");
            return dozen.then_some((6, begin + 2 + article));
        }
        "a" | "an" => {
            let next = word(tokens, begin + 1)?;
            if next == "half" {
                return in_words(tokens, begin + 1);
            }
            let counts = multiplier(next).is_some() || matches!(next, "couple" | "pair");
            if !counts {
                return None;
            }
            end += 1;
            None
        }
        _ => None,
    };
    let mut total: u64 = 0;
    while let Some(word_here) = word(tokens, end) {
        if let Some(value) = small(word_here) {
            let fits = match count {
                None => true,
                Some(before) if value < 10 => before % 10 == 0 && before % 100 != 10,
                Some(before) => before % 100 == 0,
            };
            if !fits {
                break;
            }
            count = Some(count.unwrap_or(0).saturating_add(value));
            end += 1;
        } else if matches!(word_here, "couple" | "pair") && count.is_none() {
            count = Some(2);
            end += 1;
            // `of` belongs to it, unless a dozen follows.
            if word(tokens, end) == Some("of") {
                end += 1;
                break;
            }
        } else if let Some(times) = multiplier(word_here) {
            let counted = count.unwrap_or(1).saturating_mul(times);
            if times == 1_000 {
                total = total.saturating_add(counted);
                count = Some(0);
            } else {
                count = Some(counted);
            }
            end += 1;
        } else if word_here == "and" && count.is_some() {
            if word(tokens, end + 1) == Some("a") && word(tokens, end + 2) == Some("half") {
                let Some((before, times)) = count.zip(word(tokens, end + 3).and_then(multiplier))
                else {
                    break;
                };
                let half = times / 2;
                return Some((before.saturating_mul(times).saturating_add(half), end + 4));
            }
            let whole = count.is_some_and(|before| before % 100 == 0 && (before > 0 || total > 0));
            if !(whole
                && word(tokens, end + 1)
                    .and_then(small)
                    .is_some_and(|next| next < 100)
                && !counted_apart(tokens, end + 2))
            {
                break;
            }
            end += 1;
        } else {
            break;
        }
        // The hyphen of `twenty-five`.
        let hyphen = tokens
            .get(end)
            .is_some_and(|next| next.is('-') && next.glued);
        let tens = count.is_some_and(|before| before >= 20 && before % 10 == 0);
        if hyphen
            && tens
            && word(tokens, end + 1)
                .and_then(small)
                .is_some_and(|next| next < 10)
        {
            end += 1;
        }
    }
    count.map(|count| (total.saturating_add(count), end))
}

/// `a hundred and twenty boxes` is one number; `a hundred and five packs of` may be two, but a
/// hundred of nothing is not ordered.
fn counted_apart(tokens: &[Token], after: usize) -> bool {
    word(tokens, after).is_some_and(|next| matches!(next, "inch" | "inches"))
}

/// Whether a word alone counts, as `ten` or `dozen` does.
pub(crate) fn is_a_number(word: &str) -> bool {
    small(word).is_some() || multiplier(word).is_some() || word == "couple"
}

fn multiplier(word: &str) -> Option<u64> {
    Some(match word {
        "dozen" | "dozens" | "doz" => 12,
        "hundred" | "hundreds" => 100,
        "thousand" | "thousands" => 1_000,
        _ => return None,
    })
}

fn small(word: &str) -> Option<u64> {
    Some(match word {
        "zero" => 0,
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" | "fourty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}
