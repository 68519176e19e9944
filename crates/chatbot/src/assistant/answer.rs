//! An answer as it goes over the wire.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::intent::Intent;

/// The answer to a message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Answer {
    /// True: what failed is told by a problem document instead.
    pub success: bool,
    /// The conversation, to be sent along with the next message; good for this user only.
    #[schema(example = "s1.VGhpcyBpcyBub3QgYSB0b2tlbg")]
    pub session_id: String,
    /// What is said to the customer, in plain text.
    pub message: String,
    /// What the message was taken for.
    pub intent: Intent,
    /// How sure that is, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f32,
    /// The language of `message`; BCP 47.
    #[schema(example = "en")]
    pub language: String,
    /// The passages that the answer rests on, the best first.
    pub citations: Vec<Citation>,
    /// How the answer was made.
    pub mode: Mode,
    /// What the route has to add, as the lines and the prices of an order.
    pub metadata: Map<String, Value>,
    /// The order that was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub order_id: Option<Uuid>,
    /// What was done for the answer, in this order.
    pub agent_timeline: Vec<TimelineStep>,
}

/// A passage that an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Citation {
    /// The document, or the catalogue.
    #[schema(example = "delivery.md")]
    pub source: String,
    /// The heading in the document, or the product.
    #[schema(example = "Delivery days")]
    pub section: String,
    /// How well it fits the question, from 0 to 1.
    pub score: f32,
}

/// How an answer was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By rules, from what the database says.
    Rules,
    /// From the words of the cited passages.
    Quoted,
    /// By the language model from the cited passages, and checked against them.
    Generated,
}

/// A step towards an answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TimelineStep {
    /// What was done.
    #[schema(example = "understand")]
    pub step: &'static str,
    /// When it began, in milliseconds since the request began.
    pub started_ms: f64,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}

// === impl Answer ===

impl Answer {
    /// What is sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an answer holds nothing that JSON cannot")
    }
}

/// An amount as text: as a number a client would read it into a float.
pub(super) fn amount(amount: Decimal) -> Value {
    Value::String(format!("{amount:.2}"))
}
