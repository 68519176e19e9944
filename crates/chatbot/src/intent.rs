//! What a message is about, by labelled examples that it is like.
//!
//! Likeness is of meaning, by embedding, and of words. How much each example counts for each
//! intent is learnt of the examples alone, when they are loaded. Where two intents are about as
//! likely the reading is thin, and a chat model may be asked to judge.

mod examples;
mod judgement;
mod likeness;
mod wording;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use examples::{Examples, ExamplesError, FEWEST_EXAMPLES};
pub use judgement::{Question, judge_prompt, read_judgement};

use crate::{
    EmbedError, Embedder,
    intent::{likeness::Likeness, wording::plain},
};

/// What a customer wants of a message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
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
    /// The likeliest intents, itself first.
    pub likely: [Intent; 3],
}

/// Tells intents by examples that it embedded once. Cheap to share by an `Arc`.
#[derive(Debug)]
pub struct Classifier {
    embedder: Embedder,
    likeness: Likeness,
}

/// The name is none of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no intent has this name; the names are {}", Intent::ALL.map(Intent::name).join(", "))]
pub struct UnknownIntent;

/// How sharply a greater likeness wins, so that readings are right as often as they are confident.
const SHARPNESS: f32 = 4.0;
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
    /// Embeds the examples, and learns of them.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn new(embedder: Embedder, examples: &Examples) -> Result<Self, EmbedError> {
        let texts: Vec<String> = examples.iter().map(|(_, text)| plain(text)).collect();
        let vectors = embedder.embed(&texts).await?;
        let examples = examples
            .iter()
            .zip(vectors)
            .map(|((intent, text), vector)| (intent, text.to_owned(), vector));
        Ok(Self {
            likeness: Likeness::of(examples.collect()),
            embedder,
        })
    }

    /// What of a message is to be embedded for [`Self::read`]: at most 480 bytes, never empty.
    pub fn asked(message: &str) -> String {
        plain(message)
    }

    /// What a message is about. Embeds it: one request.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn classify(&self, message: &str) -> Result<Reading, EmbedError> {
        let mut vectors = self.embedder.embed(&[Self::asked(message)]).await?;
        let vector = vectors.pop().ok_or(EmbedError::Misfit)?;
        Ok(self.read(message, &vector))
    }

    /// What a message is about, by the vector of what is [asked](Self::asked) of it: of length 1,
    /// by the model that embedded the examples. Asks nobody.
    pub fn read(&self, message: &str, vector: &[f32]) -> Reading {
        let scores = self.likeness.read(message, vector);
        let mut scores = Intent::ALL.map(|intent| (intent, scores[intent as usize]));
        scores.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let best = scores[0].1;
        let weights = scores.map(|(_, score)| ((score - best) * SHARPNESS).exp());
        let total: f32 = weights.iter().sum();
        let [intent, second, third] = [scores[0].0, scores[1].0, scores[2].0];
        Reading {
            intent,
            confidence: weights[0] / total,
            margin: (weights[0] - weights[1]) / total,
            likely: [intent, second, third],
        }
    }
}
