//! What the application keeps in PostgreSQL.
#![allow(clippy::unwrap_used)]

#[path = "../support/pool.rs"]
mod pool;

mod orders;
mod sessions;
mod shop;
