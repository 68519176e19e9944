//! What the application is made of: its database schema and vector collections, and what stands
//! between its users and its work.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collections;
mod embedder;
pub mod schema;

pub mod idempotency;
pub mod personal_data;
pub mod rate_limit;
pub mod session_token;
mod store;

pub use embedder::{EmbedError, Embedder};
pub use store::StoreError;
