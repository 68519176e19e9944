//! The migrations and what they make, against real servers.
#![allow(clippy::unwrap_used)]

#[path = "../support/pool.rs"]
mod pool;

mod collections;
mod constraints;
mod migrations;
mod support;
