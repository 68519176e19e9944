//! What the application is made of: what it keeps in PostgreSQL and ChromaDB, what fills them, how
//! it understands what is said, and what stands between its users and its work.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advisory_lock;
pub mod catalogue;
pub mod collections;
mod data_problem;
mod embedder;
pub mod idempotency;
pub mod ingest;
pub mod intent;
pub mod knowledge;
pub mod matching;
pub mod order_lines;
pub mod orders;
pub mod personal_data;
pub mod rate_limit;
pub mod schema;
pub mod session_token;
pub mod sessions;
mod store;

pub use data_problem::{DataErrors, DataProblem};
pub use embedder::{EmbedError, Embedder};
pub use store::StoreError;
