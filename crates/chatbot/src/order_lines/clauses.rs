//! The parts of a message between separators, each with its quantities and what it names.

use std::ops::Range;

use super::{
    Quantity, Size, cues,
    marks::{INSTEAD, Kind, Mark},
    questions::{asks, wants},
    words,
};

/// What stands between two separators. Most hold one part; a list without commas holds many.
#[allow(clippy::struct_excessive_bools)] // Each is read alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Clause {
    pub(super) parts: Vec<Part>,
    /// A sentence or line begins here.
    pub(super) begins: bool,
    /// What it names belongs to the lines after it.
    pub(super) heads: bool,
    pub(super) corrects: bool,
    /// It is wanted besides, so that it corrects nothing.
    pub(super) adds: bool,
    pub(super) denies: bool,
    /// It asks, or tells of what was: it names what the message is about and orders nothing.
    pub(super) mentions: bool,
    /// Either it is wanted or what stands before it.
    pub(super) either: bool,
    /// It names an order that was made before.
    pub(super) before: bool,
    /// Points back at what was named before, as `those` does.
    pub(super) points_back: bool,
    pub(super) wants: bool,
    pub(super) same: bool,
    /// It holds `each`, so that its quantity is for each of several.
    pub(super) each: bool,
    /// Nothing but filler stands in it.
    pub(super) will_do: bool,
}

/// A quantity with what it counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) quantity: Option<Quantity>,
    pub(super) unit: Option<String>,
    pub(super) words: Vec<String>,
    pub(super) size: Option<Size>,
    pub(super) span: Range<usize>,
}

pub(super) fn clauses(marks: Vec<Mark>) -> Vec<Clause> {
    let mut split = Split::default();
    for mark in marks {
        match mark.kind {
            Kind::Separator => split.flush(false),
            Kind::Either => {
                split.flush(false);
                split.either = true;
            }
            Kind::End => {
                split.flush(false);
                split.ends();
            }
            // After a phrase it is a head; between a phrase and its quantity it is nothing.
            Kind::Colon => split.flush(true),
            Kind::Word(ref word) if cues::takes_back(word) => {
                split.flush(false);
                split.current.push(mark);
            }
            _ => split.current.push(mark),
        }
    }
    split.flush(false);
    split.clauses
}

/// Clauses, and those marks that belong to none as yet.
struct Split {
    clauses: Vec<Clause>,
    current: Vec<Mark>,
    /// A sentence begins with the next clause.
    begins: bool,
    either: bool,
    /// The sentence asks.
    asks: bool,
}

impl Default for Split {
    fn default() -> Self {
        Self {
            clauses: Vec::new(),
            current: Vec::new(),
            begins: true,
            either: false,
            asks: false,
        }
    }
}

impl Split {
    fn flush(&mut self, heads: bool) {
        if self.current.is_empty() {
            return;
        }
        let mut clause = clause(&self.current);
        // What a sentence begins to ask it goes on asking, unless it wants something then.
        self.asks = asks(&self.current) || (self.asks && !wants(&self.current));
        clause.mentions |= self.asks;
        clause.begins = self.begins;
        clause.heads = heads;
        clause.either = self.either;
        self.clauses.push(clause);
        self.current.clear();
        self.begins = false;
        self.either = false;
    }

    fn ends(&mut self) {
        self.begins = true;
        self.asks = false;
    }
}

fn clause(marks: &[Mark]) -> Clause {
    let counts = |mark: &Mark| matches!(mark.kind, Kind::Quantity(_));
    let first = marks.iter().position(counts);
    let past = first.is_some_and(|first| is_past(marks, first));
    let replaces = first.is_none() && any(marks, |word| word == INSTEAD);
    let corrects = any(marks, cues::corrects) || replaces;
    let (marks, denies) = wanted(marks, first);
    let mut clause = Clause {
        denies,
        mentions: past,
        corrects,
        adds: any(marks, cues::adds),
        points_back: any(marks, cues::points_back),
        wants: any(marks, cues::wants),
        same: any(marks, |word| word == "same"),
        each: any(marks, |word| word == "each"),
        will_do: any(marks, |word| word == "do"),
        before: marks.iter().any(|mark| mark.kind == Kind::Before),
        ..Clause::default()
    };
    clause.parts = parts(marks);
    let is_alone = marks.len() == 1 || (corrects && !clause.points_back);
    if denies && clause.parts.iter().all(Part::names_nothing) && is_alone {
        // A `no` alone, or `wait, no`, takes back what was said, and denies nothing.
        clause.denies = false;
        clause.corrects = true;
    }
    clause
}

/// The marks without what is not wanted, or all and whether that is so of all.
fn wanted(marks: &[Mark], first: Option<usize>) -> (&[Mark], bool) {
    let denial = marks
        .iter()
        .position(|mark| word_of(mark).is_some_and(|word| word == INSTEAD || cues::denies(word)));
    let Some(denial) = denial else {
        return (marks, false);
    };
    let is_instead = word_of(&marks[denial]) == Some(INSTEAD);
    match first {
        // After its quantity a denial ends what the clause asks for: `13 not 3`.
        Some(first) if first < denial => (&marks[..denial], false),
        // `medium instead of small`.
        None if is_instead && !part(&marks[..denial]).names_nothing() => (&marks[..denial], false),
        // `instead of the small ones send 5 medium`.
        _ if is_instead => {
            let asks = |mark: &Mark| word_of(mark).is_some_and(cues::wants);
            match marks[denial..].iter().position(asks) {
                Some(wants) => (&marks[denial + wants..], false),
                None => (marks, true),
            }
        }
        _ => (marks, true),
    }
}

/// Whether what stands about a quantity tells what was, and asks for nothing.
fn is_past(marks: &[Mark], quantity: usize) -> bool {
    let (before, after) = marks.split_at(quantity);
    let asked = |word: &str| {
        matches!(
            word,
            "can" | "could" | "please" | "send" | "need" | "want" | "get"
        )
    };
    let after: Vec<&str> = after.iter().filter_map(word_of).collect();
    let told = |pair: &[&str]| {
        matches!(pair[0], "i" | "we" | "you" | "u") && cues::tells_of_the_past(pair[1])
            || matches!(pair[0], "is" | "are") && pair[1].ends_with("ing")
    };
    let was = |word: &&str| matches!(*word, "was" | "were" | "arrived" | "came");
    // `a pack a day`.
    let rate = |pair: &[&str]| {
        matches!(pair[0], "a" | "per" | "each" | "every")
            && matches!(pair[1], "day" | "night" | "week" | "month")
    };
    let was = after.iter().any(was) || after.windows(2).any(|pair| told(pair) || rate(pair));
    if was {
        return !any(before, cues::wants) && !any(before, asked);
    }
    any(before, cues::tells_of_the_past) && !(any(before, cues::wants) && any(before, asked))
}

fn any(marks: &[Mark], holds: impl Fn(&str) -> bool) -> bool {
    marks.iter().filter_map(word_of).any(holds)
}

fn word_of(mark: &Mark) -> Option<&str> {
    match &mark.kind {
        Kind::Word(word) => Some(word),
        _ => None,
    }
}

/// Splits at the quantities. Where products stand before their quantities, each part ends with
/// one; otherwise each begins with one.
fn parts(marks: &[Mark]) -> Vec<Part> {
    let counts: Vec<usize> = (0..marks.len())
        .filter(|&index| matches!(marks[index].kind, Kind::Quantity(_)))
        .collect();
    let (Some(&first), Some(&last)) = (counts.first(), counts.last()) else {
        let part = part(marks);
        return if part.names_nothing() {
            Vec::new()
        } else {
            vec![part]
        };
    };
    let before = part(&marks[..first]);
    let after = part(&marks[last + 1..]);
    let after_counts = if before.names_nothing() {
        false
    } else {
        after.names_nothing()
            || (before.is_of_a_product() && !after.is_of_a_product() && after.size.is_none())
    };
    let mut bounds: Vec<usize> = if after_counts {
        // The unit after the quantity belongs to it.
        let end = |&at: &usize| {
            at + 1
                + usize::from(matches!(
                    marks.get(at + 1).map(|mark| &mark.kind),
                    Some(Kind::Unit(_))
                ))
        };
        std::iter::once(0).chain(counts.iter().map(end)).collect()
    } else {
        counts
    };
    if !after_counts {
        bounds.push(marks.len());
    }
    let mut parts: Vec<Part> = bounds
        .windows(2)
        .map(|bound| part(&marks[bound[0]..bound[1]]))
        .collect();
    // What stands before and was not taken may still tell a size or a kind: `kraft 12 inch, 10`.
    if !after_counts && let Some(first) = parts.first_mut() {
        if first.words.is_empty() && first.size.is_none() {
            first.words = before.words;
        }
        first.size = first.size.or(before.size);
    }
    parts
}

fn part(marks: &[Mark]) -> Part {
    let mut part = Part::default();
    let mut named = false;
    let mut open = true;
    // `lids for the trays`: after it only words of products go on.
    let mut joined = false;
    for (index, mark) in marks.iter().enumerate() {
        let mut taken = true;
        match &mark.kind {
            Kind::Word(word) if word == "for" && named && open && joins(&marks[index + 1..]) => {
                joined = true;
            }
            Kind::Word(word)
                if joined
                    && open
                    && !matches!(word.as_str(), "the" | "our")
                    && !tells_a_product(word) =>
            {
                open = false;
                taken = false;
            }
            Kind::Quantity(quantity) => {
                part.quantity = Some(*quantity);
                // Words go on after it only where none stood before.
                open = !named;
            }
            Kind::Unit(unit) => part.unit = Some(unit.clone()),
            Kind::Size(size) => part.size = part.size.or(Some(*size)),
            // `4 packs will be enough` counts what was named before.
            Kind::Word(word)
                if part.quantity.is_some() && part.words.is_empty() && is_said_of_it(word) =>
            {
                open = false;
                taken = false;
            }
            Kind::Word(word) if cues::ends_phrase(word) && named && word != "each" => {
                open = false;
                taken = false;
            }
            // What stood before it is no phrase: `for goodness' sake I need boxes`.
            Kind::Word(word)
                if open && !named && (cues::ends_phrase(word) || cues::wants(word)) =>
            {
                part.words.clear();
                taken = false;
            }
            // `4 boxes with lids` are boxes.
            Kind::Word(word)
                if word == "with"
                    && part.words.is_empty()
                    && part.unit.as_deref().is_some_and(words::is_thing) =>
            {
                part.words.extend(part.unit.clone());
                part.words.push(word.clone());
                named = true;
            }
            Kind::Word(word) if word == "with" && named && !joins(&marks[index + 1..]) => {
                open = false;
                taken = false;
            }
            Kind::Word(word) if open => {
                let joins = word == "with" && named;
                let fills = cues::is_filler(word) || cues::denies(word);
                // `we ran out of straws` names straws.
                if fills && !named && part.quantity.is_none() {
                    part.words
                        .retain(|before| words::kind_of_attribute(before).is_some());
                }
                if joins || !fills {
                    part.words.push(word.clone());
                    named |= words::is_product(word) || part.quantity.is_some();
                } else {
                    taken = false;
                }
            }
            _ => taken = false,
        }
        if taken {
            part.span = if part.span.is_empty() {
                mark.span.clone()
            } else {
                part.span.start..mark.span.end
            };
        }
    }
    if part.words.last().is_some_and(|word| word == "with") {
        part.words.pop();
    }
    part
}

fn is_said_of_it(word: &str) -> bool {
    matches!(
        word,
        "will" | "would" | "should" | "is" | "are" | "can" | "could" | "may" | "might"
    )
}

/// Whether a product stands here, that tells for what another is: `for the large trays`. A pizza
/// does not: all is for pizzas.
fn joins(marks: &[Mark]) -> bool {
    let mut words = marks.iter().map(word_of);
    let next = match words.next() {
        Some(Some("the" | "our")) => words.next(),
        next => next,
    };
    matches!(next, Some(Some(word)) if word != "pizza" && tells_a_product(word))
}

pub(super) fn tells_a_product(word: &str) -> bool {
    words::is_product(word) || words::kind_of_attribute(word).is_some()
}

// === impl Part ===

impl Part {
    pub(super) fn names_nothing(&self) -> bool {
        self.words.is_empty() && self.size.is_none()
    }

    /// Holds a word of what is sold.
    pub(super) fn is_of_a_product(&self) -> bool {
        self.words.iter().any(|word| words::is_product(word))
    }

    /// Holds a word that names what is sold by itself.
    pub(super) fn is_of_a_thing(&self) -> bool {
        self.words.iter().any(|word| words::is_thing(word))
    }

    /// Tells at most which of several is meant: `kraft`, `12oz`, `large`.
    pub(super) fn needs_a_head(&self) -> bool {
        self.words
            .iter()
            .all(|word| words::kind_of_attribute(word).is_some())
    }
}
