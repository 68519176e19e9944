//! Words brought to one form.

use std::collections::BTreeSet;

use crate::order_lines::{is_misspelt, singular};

/// The words of a text, each in one form: lowercase, singular, one of several that mean the same.
/// Sizes in inches and words that tell nothing are left out.
pub(super) fn fold(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let parts: Vec<&str> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let mut words = BTreeSet::new();
    let mut index = 0;
    while let Some(&part) = parts.get(index) {
        index += 1;
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            // `12 oz` is `12oz`, `80 x 80 mm` is `80mm`, and `12 inch` is a size.
            let unit = parts.get(index).copied().unwrap_or_default();
            if is_measure(unit) {
                words.insert(format!("{part}{unit}"));
                index += 1;
            }
            continue;
        }
        if part.starts_with(|first: char| first.is_ascii_digit()) {
            let digits = part.trim_end_matches(|last: char| last.is_alphabetic());
            let unit = &part[digits.len()..];
            if is_measure(unit) {
                // Of `80x80mm` the last number is kept, as of `80 x 80 mm`.
                let number = digits.rsplit('x').next().unwrap_or(digits);
                words.insert(format!("{number}{unit}"));
            }
            continue;
        }
        let word = meant(singular(part));
        if !says_nothing(word) {
            words.extend(word.split(' ').map(str::to_owned));
        }
    }
    words
}

/// Which of several kinds a word tells, with the word.
pub(super) fn attributes(words: &BTreeSet<String>) -> Vec<(u8, &str)> {
    let kind = |word: &str| match word {
        "kraft" | "white" | "printed" | "black" | "clear" => Some(0),
        "small" | "medium" | "large" | "xl" => Some(1),
        "nitrile" | "vinyl" | "latex" => Some(2),
        _ => ["oz", "ml", "mm"]
            .iter()
            .position(|unit| {
                word.strip_suffix(unit)
                    .is_some_and(|number| number.parse::<u32>().is_ok())
            })
            .and_then(|unit| u8::try_from(unit + 3).ok()),
    };
    words
        .iter()
        .filter_map(|word| kind(word).map(|kind| (kind, word.as_str())))
        .collect()
}

fn is_measure(unit: &str) -> bool {
    matches!(unit, "oz" | "ml" | "mm" | "cl" | "g" | "kg" | "gsm" | "ply")
}

/// One word for all that mean the same in this trade.
fn meant(word: &str) -> &str {
    match word {
        "boxe" | "boxs" | "bx" => "box",
        "brown" | "unprinted" | "natural" => "kraft",
        "branded" | "custom" => "printed",
        "serviette" => "napkin",
        "allergy" => "allergen",
        "clingfilm" | "saran" => "cling film",
        "tinfoil" => "foil",
        "aluminum" => "aluminium",
        "knife" | "knive" => "knife",
        "receipt" => "till",
        "insulated" | "heat" => "thermal",
        "sauce" => "dip",
        "tripod" | "stand" => "saver",
        "greaseproof" | "waxed" => "greaseproof",
        "takeaway" => "carrier",
        "label" => "sticker",
        "lg" | "big" => "large",
        "med" => "medium",
        "sm" => "small",
        _ => {
            let mut often = [
                "serviette",
                "clingfilm",
                "tinfoil",
                "allergy",
                "label",
                "receipt",
            ]
            .into_iter();
            often
                .find(|meant| is_misspelt(word, meant))
                .map_or(word, meant)
        }
    }
}

fn says_nothing(word: &str) -> bool {
    matches!(
        word,
        "a" | "an"
            | "and"
            | "the"
            | "of"
            | "for"
            | "with"
            | "in"
            | "to"
            | "or"
            | "x"
            | "inch"
            | "inche"
            | "cm"
            | "pack"
            | "case"
            | "carton"
            | "per"
            | "each"
            | "size"
            | "one"
            | "ones"
            | "is"
            | "are"
            | "that"
            | "this"
            | "our"
            | "your"
            | "by"
            | "on"
            | "as"
    )
}
