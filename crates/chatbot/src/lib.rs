//! The application's database schema and vector collections.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collections;
pub mod schema;
