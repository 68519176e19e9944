//! The words of a text, brought to one form, so that a question and a passage that say the same
//! share them.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use rust_stemmers::{Algorithm, Stemmer};

use super::vocabulary::{COMMON, PHRASES, SAME, SILENT};

/// The words that tell something, in their order: stems, one for all that mean the same; numbers
/// in digits and with their unit, as in `14inch`; measures as `33x33`.
pub(crate) fn terms(text: &str) -> Vec<String> {
    let words = joined(&words(text));
    let mut terms = Vec::with_capacity(words.len());
    let mut index = 0;
    while index < words.len() {
        let phrase = phrases()
            .iter()
            .find(|phrase| begins_with(&words[index..], &phrase.said));
        if let Some(phrase) = phrase {
            terms.extend(phrase.meant.iter().cloned());
            index += phrase.said.len();
            continue;
        }
        let word = &words[index];
        if !is_silent(word) {
            terms.push(term(word));
        }
        index += 1;
    }
    terms
}

/// The words that tell something, in their order: stems, and no word stands for another one, so
/// that `Tuesday` is not `Monday`. Numbers are as in [`terms`]. Silent words are left out, but for
/// those to keep.
pub(crate) fn stems(text: &str, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let words = joined(&words(text)).into_iter();
    words
        .filter(|word| !is_silent(word) || keep(word))
        .map(|word| STEMMER.stem(&word).into_owned())
        .collect()
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// The form in which a word is compared.
fn term(word: &str) -> String {
    static MEANT: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let mut meant = HashMap::new();
        for class in SAME.lines() {
            let stems = class.split_whitespace().map(|word| STEMMER.stem(word));
            let stems: Vec<String> = stems.map(Cow::into_owned).collect();
            for stem in &stems {
                meant.insert(stem.clone(), stems[0].clone());
            }
        }
        meant
    });
    let stem = STEMMER.stem(word).into_owned();
    MEANT.get(&stem).cloned().unwrap_or(stem)
}

/// Whether a word holds a sentence together, and tells nothing by itself.
pub(crate) fn is_silent(word: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| SILENT.split_whitespace().collect());
    SET.contains(word)
}

/// Whether a term is one of everyday talk, so that its absence from a text tells little.
pub(crate) fn is_common(wanted: &str) -> bool {
    static SET: LazyLock<HashSet<String>> =
        LazyLock::new(|| COMMON.split_whitespace().map(term).collect());
    SET.contains(wanted)
}

/// The words as they stand, in lower case: `E-mail` is `email`, `12"` is `12` and `inch`, `1,500.00`
/// is `1500`, `don't` is `dont`, and numbers up to twelve are in digits.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let characters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    for (index, &character) in characters.iter().enumerate() {
        let next = characters.get(index + 1).copied().unwrap_or(' ');
        let after_digit = word.ends_with(|last: char| last.is_ascii_digit());
        match character {
            _ if character.is_alphanumeric() => word.push(character),
            '\'' | '’' if next.is_alphabetic() => {}
            '-' if word == "e" => {}
            '.' | ',' | ':' if after_digit && next.is_ascii_digit() => word.push(character),
            '"' | '″' | '”' if after_digit => {
                finish(&mut word, &mut words);
                words.push("inch".to_owned());
            }
            '%' => {
                finish(&mut word, &mut words);
                words.push("percent".to_owned());
            }
            _ => finish(&mut word, &mut words),
        }
    }
    finish(&mut word, &mut words);
    words
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    let word = std::mem::take(word);
    if word.is_empty() {
        return;
    }
    let digits = word.trim_end_matches(|last: char| last.is_alphabetic());
    if digits.is_empty() {
        let number = NUMBERS.iter().position(|number| *number == word);
        words.push(number.map_or(word, |number| (number + 2).to_string()));
        return;
    }
    let unit = &word[digits.len()..];
    if !is_number(digits) || (!unit.is_empty() && unit_of(unit).is_none() && unit != "in") {
        words.push(word);
        return;
    }
    words.push(plain(digits));
    if !unit.is_empty() {
        words.push(if unit == "in" { "inch" } else { unit }.to_owned());
    }
}

/// Without the thousands' commas and an empty fraction.
fn plain(number: &str) -> String {
    let number = number.replace(',', "");
    match number.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => number,
    }
}

pub(crate) fn is_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b':'))
}

const NUMBERS: [&str; 11] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

fn unit_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "inch" | "inches" => "inch",
        "cm" | "centimetre" | "centimetres" | "centimeter" | "centimeters" => "cm",
        "mm" | "millimetre" | "millimetres" | "millimeter" | "millimeters" => "mm",
        "ml" | "millilitre" | "millilitres" | "milliliter" | "milliliters" => "ml",
        "oz" | "ounce" | "ounces" => "oz",
        "g" | "gram" | "grams" | "gramme" | "grammes" => "g",
        "kg" | "kilo" | "kilos" | "kilogram" | "kilograms" => "kg",
        _ => return None,
    })
}

/// Numbers with their units as one word, also where several share one, as in `10, 12 or 14 inch`;
/// measures as one word.
fn joined(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    // Where in `out` the numbers stand that a unit to come may be of.
    let mut waiting: Vec<usize> = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let word = words[index].as_str();
        if let Some(unit) = unit_of(word).filter(|_| !waiting.is_empty()) {
            for place in waiting.drain(..) {
                out[place].push_str(unit);
            }
        } else if is_number(word) {
            let times = words.get(index + 1).map(String::as_str);
            let other = words.get(index + 2).filter(|other| is_number(other));
            if let (Some("x" | "by"), Some(other)) = (times, other) {
                out.push(format!("{word}x{other}"));
                waiting.push(out.len());
                out.push(word.to_owned());
                index += 2;
                continue;
            }
            waiting.push(out.len());
            out.push(word.to_owned());
        } else if let Some((one, other)) = measure(word) {
            out.push(word.to_owned());
            for number in [one, other] {
                waiting.push(out.len());
                out.push(number.to_owned());
            }
        } else {
            if !matches!(word, "and" | "or" | "to") {
                waiting.clear();
            }
            out.push(word.to_owned());
        }
        index += 1;
    }
    out
}

/// Both numbers of `33x33`.
fn measure(word: &str) -> Option<(&str, &str)> {
    let (one, other) = word.split_once('x')?;
    (is_number(one) && is_number(other)).then_some((one, other))
}

/// Several words that mean something else than each of them.
struct Phrase {
    said: Vec<&'static str>,
    meant: Vec<String>,
}

fn phrases() -> &'static [Phrase] {
    static ALL: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
        let lines = PHRASES.lines().filter_map(|line| line.split_once('>'));
        let phrases = lines.map(|(said, meant)| Phrase {
            said: said.split_whitespace().collect(),
            meant: meant.split_whitespace().map(term).collect(),
        });
        phrases.collect()
    });
    &ALL
}

/// Whether these words begin as a phrase does.
fn begins_with(words: &[String], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && phrase.iter().zip(words).all(|(part, word)| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_units_and_one_form() {
        for (text, expected) in [
            ("boxes of 10, 12 or 14 inch", "box 10inch 12inch 14inch"),
            ("a 16in box, a 12\" one", "16inch box 12inch"),
            ("33 x 33 cm", "33x33 33cm 33cm"),
            ("33x33", "33x33 33 33"),
            ("1,500.00 in two packs", "1500 2 pack"),
            ("60 millilitres", "60ml"),
            ("before 14:00, 3%", "14:00 3 percent"),
        ] {
            assert_eq!(terms(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_means_the_same_is_one_term() {
        for (one, other) in [
            ("serviettes", "napkin"),
            ("shipping", "deliveries"),
            ("money back", "refunds"),
            ("Send them back!", "returned"),
            ("sold out", "out of stock"),
            ("E-mail", "emails"),
        ] {
            assert_eq!(terms(one), terms(other));
        }
        assert_ne!(terms("my back hurts"), terms("my return hurts"));
    }

    #[test]
    fn a_text_of_nothing_but_noise_has_no_terms() {
        for text in ["", " ?! ", "is it the", "–—…"] {
            assert!(terms(text).is_empty(), "{text}");
        }
    }
}
