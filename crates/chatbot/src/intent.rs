//! What a message is about, by the labelled examples that it lies nearest to.
//!
//! Each intent is as near as the few nearest of its examples. The form of the message adds to
//! that, and what its words clearly say: a quantity of a product, the number of an order, anger.

mod evidence;
mod examples;
mod form;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use examples::{Examples, ExamplesError, FEWEST_EXAMPLES};

use crate::{
    EmbedError, Embedder,
    intent::form::{Forms, masked},
};

/// What a customer wants of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Hello.
    Greeting,
    /// To buy.
    OrderPlacement,
    /// To hear where an order is.
    OrderStatus,
    /// To hear about what is sold.
    ProductInquiry,
    /// To hear how the house does business.
    PolicyQuestion,
    /// To be heard about what went wrong.
    Complaint,
    /// Anything else.
    GeneralQuery,
}

/// What a message was taken for, and how surely.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// The likeliest intent.
    pub intent: Intent,
    /// How likely it is, 0 to 1, as far as the examples tell.
    pub confidence: f32,
    /// By how much it is likelier than the next, 0 to 1.
    pub margin: f32,
    /// The next likely intent.
    pub runner_up: Intent,
}

/// Tells intents by examples that it embedded once. Cheap to share by an `Arc`.
#[derive(Debug)]
pub struct Classifier {
    embedder: Embedder,
    examples: Vec<(Intent, Vec<f32>)>,
    forms: Forms,
}

/// The name is none of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no intent has this name; the names are {}", Intent::ALL.map(Intent::name).join(", "))]
pub struct UnknownIntent;

/// How many of the nearest examples of an intent count, set by leaving out one at a time.
const NEAREST: usize = 3;
/// The weight of each further example against the one before it.
const FALL: f32 = 0.6;
/// What the form of a message weighs beside its nearness, set in the same way.
const FORM: f32 = 0.06;
/// How sharply a nearer intent wins.
const SHARPNESS: f32 = 14.0;
/// Below this margin a reading is thin.
const THIN: f32 = 0.3;

// === impl Intent ===

impl Intent {
    /// Every intent.
    pub const ALL: [Self; 7] = [
        Self::Greeting,
        Self::OrderPlacement,
        Self::OrderStatus,
        Self::ProductInquiry,
        Self::PolicyQuestion,
        Self::Complaint,
        Self::GeneralQuery,
    ];

    /// Its name, as in `order_placement`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::OrderPlacement => "order_placement",
            Self::OrderStatus => "order_status",
            Self::ProductInquiry => "product_inquiry",
            Self::PolicyQuestion => "policy_question",
            Self::Complaint => "complaint",
            Self::GeneralQuery => "general_query",
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Intent {
    type Err = UnknownIntent;

    fn from_str(name: &str) -> Result<Self, UnknownIntent> {
        let mut all = Self::ALL.into_iter();
        all.find(|intent| intent.name() == name)
            .ok_or(UnknownIntent)
    }
}

// === impl Reading ===

impl Reading {
    /// Whether another intent is nearly as likely, so that it is worth asking a stronger model.
    pub fn is_thin(&self) -> bool {
        self.margin < THIN
    }
}

// === impl Classifier ===

impl Classifier {
    /// Embeds the examples.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn new(embedder: Embedder, examples: &Examples) -> Result<Self, EmbedError> {
        let (intents, texts): (Vec<Intent>, Vec<String>) = examples
            .iter()
            .map(|(intent, text)| (intent, masked(text)))
            .unzip();
        let vectors = embedder.embed(&texts).await?;
        let mut forms = Forms::default();
        for (intent, text) in intents.iter().zip(&texts) {
            forms.add(*intent, text);
        }
        Ok(Self {
            forms,
            embedder,
            examples: intents.into_iter().zip(vectors).collect(),
        })
    }

    /// What a message is about. Embeds it: one request.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn classify(&self, message: &str) -> Result<Reading, EmbedError> {
        let masked = masked(message);
        let mut vectors = self.embedder.embed(&[masked.as_str()]).await?;
        let vector = vectors.pop().ok_or(EmbedError::Misfit)?;
        Ok(self.read(message, &masked, &vector))
    }

    fn read(&self, message: &str, masked: &str, vector: &[f32]) -> Reading {
        let forms = self.forms.of(masked);
        let mut scores = Intent::ALL.map(|intent| {
            let of_it = self.examples.iter().filter(|(label, _)| *label == intent);
            let cosines = of_it.map(|(_, example)| cosine(vector, example));
            let near = nearness(cosines) + FORM * forms[intent as usize];
            (intent, near + evidence::of(intent, message))
        });
        scores.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let best = scores[0].1;
        let weights = scores.map(|(_, score)| ((score - best) * SHARPNESS).exp());
        let total: f32 = weights.iter().sum();
        Reading {
            intent: scores[0].0,
            confidence: weights[0] / total,
            margin: (weights[0] - weights[1]) / total,
            runner_up: scores[1].0,
        }
    }
}

/// The mean of the greatest few, in which each weighs less than the one before it.
fn nearness(cosines: impl Iterator<Item = f32>) -> f32 {
    let mut cosines: Vec<f32> = cosines.collect();
    cosines.sort_by(|one, other| other.total_cmp(one));
    let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
    for cosine in cosines.into_iter().take(NEAREST) {
        sum += weight * cosine;
        weights += weight;
        weight *= FALL;
    }
    if weights > 0.0 { sum / weights } else { -1.0 }
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}
