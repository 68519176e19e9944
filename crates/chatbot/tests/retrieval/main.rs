//! Passages in real collections, and collections that are away, silent or not as they must be.
#![allow(clippy::unwrap_used)]

mod faults;
mod finding;
mod support;
