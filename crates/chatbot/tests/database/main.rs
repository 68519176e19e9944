//! What the application keeps in PostgreSQL.
#![allow(clippy::unwrap_used)]

mod orders;
mod sessions;
mod shop;
