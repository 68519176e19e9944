//! What the application keeps in PostgreSQL.
#![allow(clippy::unwrap_used)]

#[path = "../support/pool.rs"]
mod pool;

mod answers;
mod crashes;
mod faults;
mod orders;
mod outlets;
mod said;
mod sessions;
mod shop;
mod status;
mod turns;
