//! The lifecycle as its users see it, in one test binary.
#![allow(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what it calls"
)]
#![allow(
    clippy::print_stdout,
    reason = "the child process talks to its test there"
)]

mod budget;
mod child;
mod disposal;
mod examples;
mod failure;
mod hard_stop;
mod journal;
mod order;
mod process;
mod properties;
mod service_manager;
mod serving;
mod signals;
mod stop;
mod tasks;
