//! Names inside texts.

use std::ops::Range;

use strsim::osa_distance;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::order_lines::is_product;

/// A name, in words of one form.
#[derive(Clone, Debug)]
pub(super) struct Name {
    words: Vec<String>,
    /// Where its first word stands that is no article.
    begins: usize,
}

/// Which names were found, by their places.
pub(super) struct Found {
    pub(super) places: Vec<usize>,
    /// Whether nothing is to be asked, if it is one.
    pub(super) is_certain: bool,
}

/// A name in a text.
struct Hit {
    place: usize,
    span: Range<usize>,
    slips: usize,
}

/// A word so long may have a slip; a shorter one would soon be another word.
const LONG: usize = 5;
/// A part of a name that is shorter names nothing.
const SHORTEST_PART: usize = 4;

const ARTICLES: &[&str] = &[
    "the", "la", "le", "les", "il", "lo", "gli", "el", "los", "las", "der", "die", "das", "de",
    "o", "a",
];
/// An outlet is likely to follow.
const CUES: &[&str] = &[
    "to",
    "for",
    "at",
    "from",
    "outlet",
    "branch",
    "shop",
    "store",
    "restaurant",
    "in",
];
/// Around a name that is the whole answer.
const FILLERS: &[&str] = &[
    "the",
    "our",
    "my",
    "your",
    "to",
    "for",
    "at",
    "from",
    "in",
    "it",
    "its",
    "is",
    "this",
    "that",
    "one",
    "outlet",
    "branch",
    "shop",
    "store",
    "restaurant",
    "location",
    "please",
    "pls",
    "thanks",
    "yes",
    "i",
    "we",
    "are",
    "am",
    "im",
    "were",
    "mean",
    "deliver",
    "send",
    "them",
];

/// Finds the names of a text. Those that are found as a whole go before those found in part.
pub(super) fn find<'a>(text: &str, names: impl Iterator<Item = &'a Name> + Clone) -> Found {
    let words = fold(text);
    let whole = names.clone().enumerate();
    let hits = whole.flat_map(|(place, name)| name.hits(place, &words));
    let hits: Vec<Hit> = hits.collect();
    let best = hits.iter().filter(|hit| hit.is_best_of(&hits));
    let mut places: Vec<usize> = best.map(|hit| hit.place).collect();
    places.dedup();
    if !places.is_empty() {
        return Found {
            places,
            is_certain: true,
        };
    }
    let answer = without_fillers(&words);
    let places = places_where(names.clone(), |name| name.has_part(answer));
    if !places.is_empty() {
        return Found {
            places,
            is_certain: true,
        };
    }
    let most = names.clone().map(|name| name.lead_after_cue(&words)).max();
    let most = most.unwrap_or_default();
    Found {
        places: places_where(names, |name| {
            most > 0 && name.lead_after_cue(&words) == most
        }),
        is_certain: false,
    }
}

fn places_where<'a>(
    names: impl Iterator<Item = &'a Name>,
    is_meant: impl Fn(&Name) -> bool,
) -> Vec<usize> {
    let names = names.enumerate().filter(|(_, name)| is_meant(name));
    names.map(|(place, _)| place).collect()
}

/// The words of a text, lowercase and without accents.
fn fold(text: &str) -> Vec<String> {
    let plain: String = text
        .nfkd()
        .filter(|character| !is_combining_mark(*character) && !matches!(character, '\'' | '’'))
        .flat_map(char::to_lowercase)
        .collect();
    let words = plain.split(|character: char| !character.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(spell).collect()
}

/// Letters that are not made of another and an accent, as people write them on other keyboards.
fn spell(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut spelled = String::with_capacity(word.len());
    for character in word.chars() {
        match character {
            'ß' => spelled.push_str("ss"),
            'æ' => spelled.push_str("ae"),
            'œ' => spelled.push_str("oe"),
            'ø' => spelled.push('o'),
            'ł' => spelled.push('l'),
            'đ' => spelled.push('d'),
            'ı' => spelled.push('i'),
            other => spelled.push(other),
        }
    }
    spelled
}

fn without_fillers(words: &[String]) -> &[String] {
    let says = |word: &String| !FILLERS.contains(&word.as_str());
    let first = words.iter().position(says).unwrap_or(words.len());
    let last = words.iter().rposition(says).map_or(first, |last| last + 1);
    &words[first..last]
}

/// By how many slips a word is another one: 0 or 1, or `None` where it is not.
fn slips(word: &str, other: &str) -> Option<usize> {
    if word == other {
        return Some(0);
    }
    let (length, other_length) = (word.chars().count(), other.chars().count());
    let may_slip = length >= LONG && other_length >= LONG && length.abs_diff(other_length) <= 1;
    (may_slip && osa_distance(word, other) == 1).then_some(1)
}

/// How many slips there are in words that are the same otherwise; at most one.
fn slips_of(words: &[String], others: &[String]) -> Option<usize> {
    let mut sum = 0;
    for (word, other) in words.iter().zip(others) {
        sum += slips(word, other)?;
    }
    (words.len() == others.len() && sum <= 1).then_some(sum)
}

// === impl Name ===

impl Name {
    pub(super) fn new(name: &str) -> Self {
        let words = fold(name);
        let begins = words
            .iter()
            .position(|word| !ARTICLES.contains(&word.as_str()));
        Self {
            begins: begins.unwrap_or(0),
            words,
        }
    }

    /// Where all of it stands.
    fn hits(&self, place: usize, text: &[String]) -> Vec<Hit> {
        let length = self.words.len();
        if length == 0 {
            return Vec::new();
        }
        let windows = text.windows(length).enumerate();
        let hits = windows.filter_map(|(at, window)| {
            Some(Hit {
                place,
                span: at..at + length,
                slips: slips_of(window, &self.words)?,
            })
        });
        hits.collect()
    }

    /// Whether the answer is a part of it, and no article or such alone.
    fn has_part(&self, answer: &[String]) -> bool {
        let tells = |word: &String| word.chars().count() >= SHORTEST_PART;
        answer.iter().any(tells)
            && self
                .words
                .windows(answer.len())
                .any(|part| slips_of(answer, part).is_some())
    }

    /// How many of its first words follow where an outlet is likely to: `50 boxes for Vesuvio`.
    fn lead_after_cue(&self, text: &[String]) -> usize {
        let name = &self.words[self.begins..];
        let tells = name
            .first()
            .is_some_and(|first| first.chars().count() >= SHORTEST_PART && !is_product(first));
        if !tells {
            return 0;
        }
        let is = |list: &[&str], word: &String| list.contains(&word.as_str());
        let cues = (0..text.len()).filter(|at| is(CUES, &text[*at]));
        let leads = cues.map(|cue| {
            let after = text[cue + 1..].iter();
            let mut after = after.skip_while(|word| is(ARTICLES, word) || is(FILLERS, word));
            let same = name.iter().take_while(|word| {
                after
                    .next()
                    .is_some_and(|other| slips(other, word).is_some())
            });
            same.count()
        });
        leads.max().unwrap_or_default()
    }
}

// === impl Hit ===

impl Hit {
    /// Whether no other hit says more of the same words.
    fn is_best_of(&self, hits: &[Hit]) -> bool {
        let worth = |hit: &Hit| (hit.span.len(), usize::MAX - hit.slips);
        !hits.iter().any(|other| {
            let overlaps = other.span.start < self.span.end && self.span.start < other.span.end;
            overlaps && worth(other) > worth(self)
        })
    }
}
