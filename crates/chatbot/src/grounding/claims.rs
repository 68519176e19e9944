//! What an answer claims that can be looked up: numbers, days, addresses, and whether it says yes
//! or no.

use crate::retrieval::words::{self, is_number, is_silent, words};

/// A number, with the word behind it that says what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    value: String,
    /// `None` where nothing follows that tells something.
    counts: Option<String>,
}

/// The numbers of a text, prices and measures included.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let words = words(text);
    let mut numbers = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if word.contains(|character: char| character.is_ascii_digit()) {
            let next = words.get(index + 1);
            let counts = next.filter(|next| !is_silent(next) && !is_number(next));
            numbers.push(Number {
                value: word.clone(),
                counts: counts.map(|counts| singular(counts).to_owned()),
            });
        }
    }
    numbers
}

// === impl Number ===

impl Number {
    /// Whether a text gives this number to the same thing.
    pub(super) fn stands_in(&self, told: &[Number]) -> bool {
        told.iter().any(|other| {
            other.value == self.value && (self.counts.is_none() || other.counts == self.counts)
        })
    }

    /// Whether it counts things or measures them, so that a customer may have brought it up. A
    /// price or a share is nothing that a customer decides.
    pub(super) fn is_quantity(&self) -> bool {
        self.counts.as_deref().is_some_and(|counts| {
            matches!(
                counts,
                "pack"
                    | "box"
                    | "boxe"
                    | "piece"
                    | "roll"
                    | "cup"
                    | "bag"
                    | "lid"
                    | "tray"
                    | "pot"
                    | "pizza"
                    | "napkin"
                    | "slice"
                    | "inch"
                    | "cm"
                    | "mm"
                    | "ml"
                    | "oz"
                    | "outlet"
            )
        })
    }
}

fn singular(word: &str) -> &str {
    crate::order_lines::singular(word)
}

/// Words that limit what a sentence says. One that the source does not have makes it another
/// sentence.
const LIMITS: &[&str] = &[
    "before",
    "after",
    "until",
    "from",
    "above",
    "below",
    "over",
    "under",
    "within",
    "without",
    "only",
    "unless",
    "except",
    "least",
    "most",
    "more",
    "less",
    "every",
    "everything",
    "everyone",
    "anything",
    "anyone",
    "per",
    "always",
    "never",
    "all",
    "both",
    "either",
    "neither",
    "once",
    "twice",
    "free",
    "same",
    "any",
    "each",
    "if",
    "when",
    "between",
    "also",
    "always",
    "must",
];

/// Days, which are wrong if they are not the source's.
const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "weekend",
    "weekends",
    "weekday",
    "weekdays",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "today",
    "tomorrow",
    "tonight",
    "holiday",
    "holidays",
    "morning",
    "evening",
    "night",
];

const CURRENCIES: &[&str] = &[
    "euro", "euros", "eur", "dollar", "dollars", "usd", "pound", "pounds", "gbp", "sterling",
    "cent", "cents", "pence", "franc", "francs", "chf", "kroner", "nok", "bucks",
];

const NO: &[&str] = &[
    "no",
    "not",
    "never",
    "cannot",
    "cant",
    "dont",
    "doesnt",
    "didnt",
    "isnt",
    "arent",
    "wasnt",
    "werent",
    "wont",
    "wouldnt",
    "couldnt",
    "shouldnt",
    "mustnt",
    "havent",
    "hasnt",
    "neither",
    "nor",
    "none",
    "nobody",
    "nothing",
    "nowhere",
    "without",
    "unless",
    "refuse",
    "forbidden",
    "impossible",
    "unable",
];

/// Words that say the opposite of each other.
const OPPOSITES: &[(&str, &str)] = &[
    ("open", "closed"),
    ("opened", "closed"),
    ("first", "last"),
    ("large", "small"),
    ("larger", "smaller"),
    ("largest", "smallest"),
    ("more", "less"),
    ("most", "least"),
    ("before", "after"),
    ("above", "below"),
    ("early", "late"),
    ("earlier", "later"),
    ("earliest", "latest"),
    ("with", "without"),
    ("inside", "outside"),
    ("hot", "cold"),
    ("up", "down"),
    ("maximum", "minimum"),
    ("include", "exclude"),
    ("included", "excluded"),
    ("accept", "refuse"),
    ("accepted", "refused"),
    ("brown", "white"),
    ("kraft", "white"),
];

/// Words without which a sentence promises more than its source.
const CONDITIONS: &[&str] = &[
    "above", "below", "over", "under", "only", "unless", "except", "if", "until", "without",
    "least", "most", "unopened", "standard", "once",
];

/// All that a text tells, in its order: stems, denials and words that limit.
pub(super) fn telling(text: &str) -> Vec<String> {
    words::stems(text, |word| LIMITS.contains(&word) || NO.contains(&word))
}

/// Whether a text has a word that limits, a day or a currency that another has not, or has it of
/// another thing: `all orders` is not `all outlets`.
pub(super) fn adds_a_limit(answer: &[String], source: &[String]) -> bool {
    let stands = |index: usize, claim: &String| match answer.get(index + 1) {
        Some(next) if !is_silent(next) => source
            .windows(2)
            .any(|pair| pair[0] == *claim && pair[1] == *next),
        _ => source.contains(claim),
    };
    answer.iter().enumerate().any(|(index, word)| {
        let is_claim = LIMITS.contains(&word.as_str())
            || DAYS.contains(&word.as_str())
            || CURRENCIES.contains(&word.as_str());
        is_claim && !stands(index, word)
    })
}

/// Whether a text leaves out a number or a condition of its source, and so promises more.
pub(super) fn drops_a_condition(answer: &[String], source: &[String]) -> bool {
    let binds = |word: &&String| {
        CONDITIONS.contains(&word.as_str())
            || word.starts_with(|first: char| first.is_ascii_digit())
    };
    source
        .iter()
        .filter(binds)
        .any(|bound| !answer.contains(bound))
}

/// Whether a word stands where its opposite, or its denial, stands in the source.
pub(super) fn turns_a_word(answer: &[String], source: &[String]) -> bool {
    let has = |words: &[String], word: &str| words.iter().any(|other| other == word);
    let turned = |one: &str, other: &str| {
        has(answer, one) && !has(source, one) && has(source, other) && !has(answer, other)
    };
    let opposite = OPPOSITES
        .iter()
        .any(|(one, other)| turned(one, other) || turned(other, one));
    opposite
        || answer.iter().any(|word| {
            ["un", "non", "in", "im", "dis"].iter().any(|prefix| {
                let denied = format!("{prefix}{word}");
                let plain = word.strip_prefix(prefix).unwrap_or_default();
                turned(word, &denied) || (plain.len() > 3 && turned(word, plain))
            })
        })
}

/// The words by which a text says no, in their order: two of them are not the same as one.
pub(super) fn denials(words: &[String]) -> Vec<&str> {
    let words = words.iter().map(String::as_str);
    words.filter(|word| NO.contains(word)).collect()
}

/// The signs of money in a text.
pub(super) fn signs_of_money(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|sign| matches!(sign, '$' | '€' | '£' | '¥' | '₿'))
}

/// Addresses, numbers of products and other words that are right only letter by letter: those with
/// an `@`, a point or a slash between letters, or a hyphen and capitals or digits.
pub(super) fn codes(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace();
    let words = words.map(|word| word.trim_matches(|end: char| !end.is_alphanumeric()));
    words.filter(|word| is_code(word))
}

fn is_code(word: &str) -> bool {
    let letters = |character: char| character.is_alphabetic();
    // `12-inch` is a number, and judged as one.
    let digit = |character: char| character.is_ascii_digit();
    let joins = |sign: char| {
        word.split_once(sign)
            .is_some_and(|(before, after)| before.ends_with(letters) && after.starts_with(letters))
    };
    let capitals = word
        .chars()
        .filter(|character| character.is_uppercase())
        .count();
    word.contains('@')
        || word.contains("://")
        || joins('.')
        || joins('/')
        || (word.contains('-')
            && !word.starts_with(digit)
            && (capitals > 1 || word.contains(digit)))
}

/// Names: words with a capital that do not begin a sentence.
pub(super) fn names(sentence: &str) -> impl Iterator<Item = &str> {
    let words = sentence.split(|character: char| !character.is_alphanumeric() && character != '\'');
    let words = words.filter(|word| !word.is_empty()).skip(1);
    words.filter(|word| *word != "I" && word.starts_with(char::is_uppercase))
}
