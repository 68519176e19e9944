//! The catalogue in a real database, and both it and the knowledge in real collections.
#![allow(clippy::unwrap_used)]

#[path = "../support/pool.rs"]
mod pool;

mod ingesting;
mod own_data;
mod seeding;
mod support;
