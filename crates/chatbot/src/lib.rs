//! The application's database schema and vector collections.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collections;
mod embedder;
pub mod intent;
pub mod matching;
pub mod order_lines;
pub mod schema;

pub use embedder::{EmbedError, Embedder};
