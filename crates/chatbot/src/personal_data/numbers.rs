//! Numbers of telephones, cards and persons.

use std::ops::Range;

use super::{
    Found, Item,
    context::{Announced, announced},
    digits::{Group, runs},
};

/// How long a telephone number may be with its country code (ITU-T E.164).
const INTERNATIONAL: Range<usize> = 8..16;
/// And with the zero that stands for the own country.
const NATIONAL: Range<usize> = 9..13;

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    // What is masked says nothing about what follows it.
    let mut masked = 0;
    for run in runs(text) {
        let mut rest = run.as_slice();
        while let Some(first) = rest.first() {
            let context = Context::of(&text[masked..first.start]);
            let taken = longest(rest, &context);
            if let Some((length, item)) = taken {
                let place = place(text, &rest[..length]);
                masked = place.end;
                found.push((place, item));
            }
            rest = &rest[taken.map_or(1, |(length, _)| length)..];
        }
    }
    found
}

/// How many of the groups, from the first one on, are a number, and of what.
fn longest(groups: &[Group], context: &Context) -> Option<(usize, Item)> {
    // No number has more groups than digits, of which no kind has more than 19.
    (1..=groups.len().min(19))
        .rev()
        .find_map(|length| Some((length, what(&groups[..length], context)?)))
}

/// What stands before a number.
struct Context {
    announced: Announced,
    plus: bool,
    /// A sign of an order number or of money.
    sign: bool,
    /// The number goes on to the left, as in `INV-2024`.
    part: bool,
}

impl Context {
    fn of(before: &str) -> Self {
        let announced = announced(before);
        let before = before.trim_end_matches('(');
        let mut last = before.chars().rev();
        let (one, two) = (last.next(), last.next());
        let joined = match one {
            Some('.') => two.is_some_and(char::is_numeric),
            Some('-' | '_' | '/' | '\u{2010}' | '\u{2011}' | '\u{2013}') => {
                two.is_some_and(char::is_alphanumeric)
            }
            _ => false,
        };
        Self {
            announced,
            plus: one.is_some_and(|c| c == '+' || c == '\u{ff0b}')
                && !two.is_some_and(char::is_alphanumeric),
            sign: before.trim_end().ends_with(['#', '$', '€', '£', '¥', '№']),
            part: joined && announced != Announced::Phone,
        }
    }
}

fn what(groups: &[Group], context: &Context) -> Option<Item> {
    let digits: String = groups.iter().map(|group| group.digits.as_str()).collect();
    if is_card(groups, &digits) {
        Some(Item::Card)
    } else if context.plus {
        let international = INTERNATIONAL.contains(&digits.len()) && !digits.starts_with('0');
        international.then_some(Item::Phone)
    } else if context.sign || context.part {
        None
    } else if is_national_id(groups, &digits, context) {
        Some(Item::NationalId)
    } else {
        is_phone(groups, &digits, context).then_some(Item::Phone)
    }
}

fn is_phone(groups: &[Group], digits: &str, context: &Context) -> bool {
    if is_list_of_quantities(groups) {
        return false;
    }
    match context.announced {
        Announced::Phone if (7..16).contains(&digits.len()) => return true,
        Announced::Business if groups.len() == 1 => return false,
        _ => {}
    }
    is_abroad(digits) || is_of_own_country(groups, digits) || is_shaped(groups, digits)
}

/// Quantities are round: `300 400 5000`, `10000-20000`.
fn is_list_of_quantities(groups: &[Group]) -> bool {
    groups.len() > 1 && groups.iter().all(|group| group.digits.ends_with('0'))
}

/// With `00` in place of the plus.
fn is_abroad(digits: &str) -> bool {
    let number = digits.strip_prefix("00").unwrap_or_default();
    INTERNATIONAL.contains(&number.len()) && !number.starts_with('0')
}

/// With the zero before the area code. `0.5` has one, too, and so may have a postal code with a
/// suffix (`02134-1000`) and the code of a product (12 digits or more without a gap).
fn is_of_own_country(groups: &[Group], digits: &str) -> bool {
    let lengths: Vec<usize> = lengths(groups).collect();
    let mut first = digits.bytes();
    first.next() == Some(b'0')
        && first.next() != Some(b'0')
        && lengths[0] > 1
        && NATIONAL.contains(&digits.len())
        && lengths != [5, 4]
        && lengths != [12]
}

/// In the groups of a telephone number, or as long as one, with the first digits of one. A bare
/// number of ten digits may be anything else (google/site-kit-wp#11484,
/// mvanhorn/cli-printing-press#3173).
fn is_shaped(groups: &[Group], digits: &str) -> bool {
    if groups.len() == 1 {
        return match digits.len() {
            10 => is_north_american(digits) || digits.starts_with(['6', '7', '8', '9']),
            11 => digits.strip_prefix('1').is_some_and(|rest| {
                is_north_american(rest) || rest.starts_with(['3', '5', '7', '8', '9'])
            }),
            _ => false,
        };
    }
    let mut separators = groups[1..].iter().map(|group| group.separator.as_str());
    let spaced = separators
        .clone()
        .all(|separator| ["-", " ", ".", ") ", ")", " (", ")-"].contains(&separator));
    spaced
        && match lengths(groups).collect::<Vec<_>>().as_slice() {
            [3, 3, 4] => is_north_american(digits),
            [1, 3, 3, 4] => digits.strip_prefix('1').is_some_and(is_north_american),
            [5, 5] | [2, 5, 4] => true,
            // With spaces alone they may be a size and two quantities.
            [2 | 3, 4, 4] | [4, 3, 3] => separators.any(|separator| separator != " "),
            _ => false,
        }
}

/// Area code and exchange begin with 2 to 9.
fn is_north_american(digits: &str) -> bool {
    let digits = digits.as_bytes();
    digits.len() == 10 && digits[0] >= b'2' && digits[3] >= b'2'
}

/// By length, first digits, grouping and check digit.
fn is_card(groups: &[Group], digits: &str) -> bool {
    let known = match digits.len() {
        14 => ["30", "36", "38", "39"]
            .iter()
            .any(|first| digits.starts_with(first)),
        15 => digits.starts_with("34") || digits.starts_with("37"),
        16..=19 => digits.starts_with(['2', '3', '4', '5', '6']),
        _ => false,
    };
    let grouped = match lengths(groups).collect::<Vec<_>>().as_slice() {
        [_] | [4, 6, 4 | 5] => true,
        [first @ .., last] => first.iter().all(|length| *length == 4) && *last <= 4,
        [] => false,
    };
    let spaced = groups[1..]
        .iter()
        .all(|group| [" ", "-", ".", "/"].contains(&group.separator.as_str()));
    known && grouped && spaced && luhn(digits)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(digit - b'0');
            match index % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_national_id(groups: &[Group], digits: &str, context: &Context) -> bool {
    if context.announced == Announced::NationalId && (6..19).contains(&digits.len()) {
        return true;
    }
    if context.announced == Announced::Business {
        return false;
    }
    let hyphens = groups[1..].iter().all(|group| group.separator == "-");
    hyphens
        && match lengths(groups).collect::<Vec<_>>().as_slice() {
            [3, 2, 4] => is_social_security(groups),
            // Denmark, Sweden, Malaysia.
            [6, 4] | [6, 2, 4] => is_birth_date(&groups[0].digits),
            _ => false,
        }
}

/// Numbers that the United States never give are none.
fn is_social_security(groups: &[Group]) -> bool {
    let area = groups[0].digits.as_str();
    area != "000"
        && area != "666"
        && !area.starts_with('9')
        && groups[1].digits != "00"
        && groups[2].digits != "0000"
}

/// Six digits, the day or the year first.
fn is_birth_date(digits: &str) -> bool {
    let part = |at: usize| digits[at..at + 2].parse::<u32>().unwrap_or(u32::MAX);
    (1..=12).contains(&part(2)) && ((1..=31).contains(&part(0)) || (1..=31).contains(&part(4)))
}

fn lengths(groups: &[Group]) -> impl Iterator<Item = usize> {
    groups.iter().map(|group| group.digits.len())
}

/// From the plus before the first group to the end of the last, with both brackets of an area code.
fn place(text: &str, groups: &[Group]) -> Range<usize> {
    let (first, last) = (&groups[0], &groups[groups.len() - 1]);
    let before = &text[..first.start];
    let bracketed = groups[1..]
        .iter()
        .any(|group| group.separator.contains(')'));
    let before = match before.strip_suffix('(') {
        Some(outside) if bracketed => outside,
        _ => before,
    };
    let before = before.strip_suffix(['+', '\u{ff0b}']).unwrap_or(before);
    before.len()..last.end
}
