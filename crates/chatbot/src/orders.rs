//! Orders: what is asked for, priced here and written once.

mod error;
mod limits;
mod place;
mod placed;

use uuid::Uuid;

pub use self::{
    error::{OrderError, Problem},
    limits::Limits,
    place::place,
    placed::{Placed, PlacedLine},
};

/// An order as a customer means it: nothing of it is a price.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who orders.
    pub user_id: String,
    /// Where it is delivered to.
    pub outlet_id: i64,
    /// In which conversation it came about; one of this user's.
    pub session_id: Option<Uuid>,
    /// The key under which this user asks for this order, and for no other.
    pub idempotency_key: String,
    /// SHA-256 of what was asked for under the key.
    pub request_hash: [u8; 32],
    /// What is ordered, each product once.
    pub lines: Vec<DraftLine>,
}

/// A product and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftLine {
    /// The product's id.
    pub product_id: i64,
    /// In packs.
    pub quantity: u32,
}
