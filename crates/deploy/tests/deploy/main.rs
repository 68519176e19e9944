//! Whole deployments, in memory, on a clock that tests move.
#![allow(clippy::unwrap_used)]

mod harness;
mod memory;

mod backups;
mod failures;
mod interrupts;
mod kills;
mod locks;
mod properties;
mod rollbacks;
mod secrets;
mod story;
