//! How likely a document answers a question.
//!
//! A logistic function of four numbers. Its weights were fitted to `tests/labelled/questions.jsonl`
//! alone, with the embeddings of all-MiniLM-L6-v2: for a question that something answers the right
//! documents were to come out above all others and above nothing; for one that nothing answers,
//! nothing above all. `cargo bench -p tria-tests --bench answers` tells how well they do, there and
//! on questions that they were not fitted to. Another model of embeddings wants them fitted anew.

use std::collections::BTreeSet;

use super::{
    library::{Library, Near},
    words,
};

/// The score from which a document answers: from there it is likelier that it does than that it
/// does not.
pub(super) const ANSWERS: f32 = 0.5;

const COSINE: f32 = 8.2;
const COVERED: f32 = 5.9;
const EVIDENCE: f32 = 2.0;
const FOREIGN: f32 = -2.7;
const NOTHING: f32 = -6.6;

/// What a word of everyday talk, or a number without a unit, weighs against another word.
const EVERYDAY: f32 = 0.3;

/// How little a term has to stand in a document to count nearly in full: one that it repeats is
/// what it is about.
const ONCE: f32 = 0.4;

/// The sum of weights that counts for a half, as evidence or as foreign.
const HALF: f32 = 2.0;
const HALF_FOREIGN: f32 = 3.0;

/// The terms of a question, each once.
#[derive(Debug)]
pub(super) struct Question {
    terms: BTreeSet<String>,
}

// === impl Question ===

impl Question {
    pub(super) fn read(question: &str) -> Self {
        Self {
            terms: words::terms(question).into_iter().collect(),
        }
    }
}

/// Above 0 and below 1.
pub(super) fn score(question: &Question, library: &Library, near: &Near) -> f32 {
    let (mut all, mut covered, mut foreign) = (0.0, 0.0, 0.0);
    for term in &question.terms {
        let (weight, is_known) = library.weight(term);
        let is_everyday = words::is_common(term) || words::is_number(term);
        // A word of the matter that stands nowhere makes it another matter: `bitcoin`, beside `pay`.
        if !is_known && !is_everyday {
            foreign += weight;
        }
        let weight = if is_everyday {
            EVERYDAY * weight
        } else {
            weight
        };
        all += weight;
        if let Some(times) = near.document.times(term) {
            covered += weight * (1.0 + ONCE) * times / (times + ONCE);
        }
    }
    let share = if all > 0.0 { covered / all } else { 0.0 };
    let likely = COSINE * near.cosine
        + COVERED * share
        + EVIDENCE * covered / (covered + HALF)
        + FOREIGN * foreign / (foreign + HALF_FOREIGN)
        + NOTHING;
    1.0 / (1.0 + (-likely).exp())
}
