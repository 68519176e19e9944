//! The application's database schema and vector collections, and what fills them: the catalogue
//! and the knowledge.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod catalogue;
pub mod collections;
mod data_problem;
mod embedder;
pub mod ingest;
pub mod knowledge;
pub mod schema;

pub use data_problem::{DataErrors, DataProblem};
pub use embedder::{EmbedError, Embedder};
