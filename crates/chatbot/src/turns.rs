//! A turn: a message, its answer, and everything that they leave behind.
//!
//! [`keep`] writes it in one transaction: the session, both messages, what is known of the user,
//! the order with its delivery, its invoice and its goods or the complaint, and the answer under
//! its key. Whenever a process dies, all of it is there or nothing is, and the same key leads to
//! the same answer ever after: [`answered`] finds it before work begins, and `keep` itself finds
//! it when somebody else was quicker. What Redis knows of the key only makes that faster.
//!
//! Of two turns that go on from the same point of a conversation one is written; the other is told
//! that the conversation [moved](TurnError::Moved).

mod answers;
mod error;
mod keep;
mod statements;
mod transaction;

use serde_json::Value;
use uuid::Uuid;

pub use self::{
    answers::{answered, prune},
    error::TurnError,
    keep::keep,
};
use crate::{
    complaints::Complaint,
    idempotency::{Key, StoredAnswer},
    intent::Intent,
    orders::{DraftLine, Placed},
};

/// A message that was understood, and what is to be done for it.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// Who says it; 1 to 255 characters.
    pub user_id: &'a str,
    /// The key under which this user asks for this turn, and for no other.
    pub key: &'a Key,
    /// SHA-256 of what was asked for under the key.
    pub request_hash: [u8; 32],
    /// The conversation that it is part of.
    pub session: SessionRef<'a>,
    /// What the user said, personal data masked.
    pub message: &'a str,
    /// How many pieces of personal data were masked in it.
    pub masked_items: u32,
    /// What it was taken for.
    pub intent: Intent,
    /// How sure that was, from 0 to 1.
    pub confidence: f32,
    /// The passages that the answer rests on; an array.
    pub citations: &'a Value,
    /// The outlet that the conversation is about from now on.
    pub outlet_id: Option<i64>,
    /// What is left to ask from now on; an object.
    pub pending: Option<&'a Value>,
    /// What is done besides talking.
    pub work: Work<'a>,
}

/// A conversation, and the point from which a turn goes on.
#[derive(Clone, Copy, Debug)]
pub enum SessionRef<'a> {
    /// This turn opens it.
    New {
        /// A random id, nobody's yet.
        id: Uuid,
        /// In which it is answered; BCP 47.
        language: &'a str,
    },
    /// This turn goes on with it.
    At {
        /// Its id.
        id: Uuid,
        /// How many turns it had when it was read.
        turns: i32,
    },
}

/// What is done besides talking.
#[derive(Clone, Copy, Debug)]
pub enum Work<'a> {
    /// Nothing.
    Nothing,
    /// Goods are ordered.
    Order {
        /// Where they are delivered to.
        outlet_id: i64,
        /// What is ordered, each product once.
        lines: &'a [DraftLine],
    },
    /// A complaint is taken, about the outlet of the turn.
    Complaint {
        /// The order that it is about; one of this user's.
        order_id: Option<Uuid>,
        /// What went wrong, personal data masked.
        text: &'a str,
    },
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing besides talking.
    Nothing,
    /// An order was written.
    Order(Placed),
    /// A complaint was written.
    Complaint(Complaint),
}

/// The answer, as it is told and as it is sent.
#[derive(Clone, Debug)]
pub struct Composed {
    /// What the user is told, for the conversation.
    pub text: String,
    /// What is sent, now and whenever the request comes again.
    pub answer: StoredAnswer,
}

/// A turn that stands in the database.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The answer to give.
    pub answer: StoredAnswer,
    /// What was done now; `None` where the turn had been written before, under the same key.
    pub done: Option<Done>,
}

// === impl SessionRef ===

impl SessionRef<'_> {
    /// The conversation.
    pub fn id(&self) -> Uuid {
        match self {
            Self::New { id, .. } | Self::At { id, .. } => *id,
        }
    }
}

// === impl Kept ===

impl Kept {
    /// Whether the turn had been written before, under the same key.
    pub fn was_there(&self) -> bool {
        self.done.is_none()
    }
}
