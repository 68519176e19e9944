//! What the application is made of: what it keeps in PostgreSQL and ChromaDB, what fills them, how
//! it understands what is said, and what stands between its users and its work.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advisory_lock;
pub mod assistant;
mod budget;
pub mod catalogue;
pub mod collections;
pub mod complaints;
mod data_problem;
mod database_error;
mod embedder;
pub mod grounding;
pub mod http;
pub mod idempotency;
pub mod ingest;
pub mod intent;
pub mod knowledge;
pub mod matching;
pub mod model;
pub mod order_lines;
pub mod orders;
pub mod outlets;
pub mod personal_data;
pub mod rate_limit;
pub mod retrieval;
pub mod schema;
pub mod session_token;
pub mod sessions;
mod store;
pub mod turns;

pub use budget::{Budget, OutOfTime};
pub use data_problem::{DataErrors, DataProblem};
pub use database_error::DatabaseError;
pub use embedder::{EmbedError, Embedder};
pub use model::{Model, ModelError, ModelOptions};
pub use store::StoreError;
