//! The application's database schema and vector collections.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collections;
mod embedder;
pub mod orders;
pub mod schema;
pub mod sessions;

pub use embedder::{EmbedError, Embedder};
