//! The migrations and what they make, against real servers.
#![allow(clippy::unwrap_used)]

mod collections;
mod constraints;
mod migrations;
mod support;
