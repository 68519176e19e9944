//! What the application is made of: what it keeps in PostgreSQL and ChromaDB, what it asks of the
//! model, and what stands between its users and its work.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collections;
mod embedder;
pub mod idempotency;
pub mod orders;
pub mod personal_data;
pub mod rate_limit;
pub mod schema;
pub mod session_token;
pub mod sessions;
mod store;

pub use embedder::{EmbedError, Embedder};
pub use store::StoreError;
