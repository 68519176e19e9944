//! National ids that hold letters.

use super::{Found, Item};

/// The check letters of Spain's numbers.
const SPANISH: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
/// The check letters of Singapore's numbers, for those that begin with S or T, and with F or G.
const SINGAPOREAN: [&[u8; 11]; 2] = [b"JZIHGFEDCBA", b"XWUTRQPNMLK"];
const SINGAPOREAN_WEIGHTS: [u32; 7] = [2, 7, 6, 5, 4, 3, 2];
/// Prefixes that the United Kingdom does not give.
const NOT_BRITISH: [&str; 7] = ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"];

pub(super) fn find(text: &str) -> Vec<Found> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(|c| !is_word(c)) {
        // Codes of products are often joined by hyphens.
        let joined = text[..at].ends_with('-') || text[at + word.len()..].starts_with('-');
        let upper = word.to_ascii_uppercase();
        if !joined && (is_spanish(&upper) || is_singaporean(&upper) || is_british(&upper)) {
            found.push((at..at + word.len(), Item::NationalId));
        }
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    found
}

/// DNI: eight digits and a check letter. NIE: X, Y or Z in place of the first digit.
fn is_spanish(word: &str) -> bool {
    let [first, middle @ .., letter] = word.as_bytes() else {
        return false;
    };
    let first = match first {
        b'X' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        other => *other,
    };
    let Some(number) = number(&[&[first], middle].concat()) else {
        return false;
    };
    middle.len() == 7 && SPANISH[number as usize % SPANISH.len()] == *letter
}

/// NRIC and FIN: a letter, seven digits, a check letter.
fn is_singaporean(word: &str) -> bool {
    let [first, digits @ .., letter] = word.as_bytes() else {
        return false;
    };
    let (letters, offset) = match first {
        b'S' => (SINGAPOREAN[0], 0),
        b'T' => (SINGAPOREAN[0], 4),
        b'F' => (SINGAPOREAN[1], 0),
        b'G' => (SINGAPOREAN[1], 4),
        _ => return false,
    };
    if digits.len() != 7 || number(digits).is_none() {
        return false;
    }
    let weighted = digits.iter().zip(SINGAPOREAN_WEIGHTS);
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    letters[(sum + offset) as usize % letters.len()] == *letter
}

/// National insurance: two letters, six digits, A to D.
fn is_british(word: &str) -> bool {
    let [one, two, digits @ .., last] = word.as_bytes() else {
        return false;
    };
    let given = |letter: &u8| letter.is_ascii_uppercase() && !b"DFIQUV".contains(letter);
    digits.len() == 6
        && number(digits).is_some()
        && (b'A'..=b'D').contains(last)
        && given(one)
        && given(two)
        && *two != b'O'
        && !NOT_BRITISH.iter().any(|prefix| word.starts_with(prefix))
}

/// The value of at most nine ASCII digits.
fn number(digits: &[u8]) -> Option<u32> {
    let all = digits.len() < 10 && digits.iter().all(u8::is_ascii_digit);
    let value = |sum: u32, digit: &u8| sum * 10 + u32::from(digit - b'0');
    all.then(|| digits.iter().fold(0, value))
}
