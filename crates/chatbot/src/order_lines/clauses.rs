//! The parts of a message between separators, each with its quantities and what it names.

use std::ops::Range;

use super::{
    Quantity, Size,
    marks::{Kind, Mark},
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
    pub(super) denies: bool,
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
    let mut clauses = Vec::new();
    let mut current = Vec::new();
    let mut begins = true;
    for mark in marks {
        let (ends, heads) = match mark.kind {
            Kind::Separator => (false, false),
            Kind::End => (true, false),
            // After a phrase it is a head; between a phrase and its quantity it is nothing.
            Kind::Colon => (false, true),
            _ => {
                current.push(mark);
                continue;
            }
        };
        if !current.is_empty() {
            clauses.push(clause(&current, begins, heads));
            current.clear();
            begins = false;
        }
        begins |= ends;
    }
    if !current.is_empty() {
        clauses.push(clause(&current, begins, false));
    }
    clauses
}

fn clause(marks: &[Mark], begins: bool, heads: bool) -> Clause {
    let counts = |mark: &Mark| matches!(mark.kind, Kind::Quantity(_));
    let word_of = |mark: &Mark| match &mark.kind {
        Kind::Word(word) => Some(word.clone()),
        _ => None,
    };
    let denial = marks
        .iter()
        .position(|mark| word_of(mark).is_some_and(|word| words::denies(&word)));
    let first = marks.iter().position(counts);
    // After its quantity a denial ends what the clause asks for: `13 not 3`.
    let (marks, denies) = match (denial, first) {
        (Some(denial), Some(first)) if first < denial => (&marks[..denial], false),
        (denial, _) => (marks, denial.is_some()),
    };
    let any = |holds: fn(&str) -> bool| {
        marks
            .iter()
            .any(|mark| word_of(mark).is_some_and(|word| holds(&word)))
    };
    let past = first.is_some_and(|first| {
        let wanted = marks[..first]
            .iter()
            .filter_map(word_of)
            .any(|word| words::wants(&word));
        let before = || marks[..first].iter().filter_map(word_of);
        let told = before().any(|word| words::tells_of_the_past(&word));
        let asked = before().any(|word| {
            matches!(
                word.as_str(),
                "can" | "could" | "please" | "send" | "need" | "want" | "get"
            )
        });
        told && !(wanted && asked)
    });
    let mut clause = Clause {
        begins,
        heads,
        denies: denies || past,
        corrects: any(words::corrects),
        points_back: any(words::points_back),
        wants: any(words::wants),
        same: any(|word| word == "same"),
        each: any(|word| word == "each"),
        will_do: any(|word| word == "do"),
        parts: Vec::new(),
    };
    clause.parts = parts(marks);
    if denies && clause.parts.iter().all(Part::names_nothing) && marks.len() == 1 {
        // A `no` alone takes back what was said, and denies nothing.
        clause.denies = false;
        clause.corrects = true;
    }
    clause
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
    for mark in marks {
        let mut taken = true;
        match &mark.kind {
            Kind::Quantity(quantity) => {
                part.quantity = Some(*quantity);
                // Words go on after it only where none stood before.
                open = !named;
            }
            Kind::Unit(unit) => part.unit = Some(unit.clone()),
            Kind::Size(size) => part.size = part.size.or(Some(*size)),
            Kind::Word(word) if words::ends_phrase(word) && named && word != "each" => {
                open = false;
                taken = false;
            }
            // What stood before it is no phrase: `for goodness' sake I need boxes`.
            Kind::Word(word)
                if open && !named && (words::ends_phrase(word) || words::wants(word)) =>
            {
                part.words.clear();
                taken = false;
            }
            Kind::Word(word) if open => {
                let joins = word == "with" && named;
                if joins || !(words::is_filler(word) || words::denies(word)) {
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

// === impl Part ===

impl Part {
    pub(super) fn names_nothing(&self) -> bool {
        self.words.is_empty() && self.size.is_none()
    }

    /// Holds a word of what is sold.
    pub(super) fn is_of_a_product(&self) -> bool {
        self.words.iter().any(|word| words::is_product(word))
    }

    /// Tells at most which of several is meant: `kraft`, `12oz`, `large`.
    pub(super) fn needs_a_head(&self) -> bool {
        self.words
            .iter()
            .all(|word| words::kind_of_attribute(word).is_some())
    }
}
