//! The contract of a check, and everything that runs one.
//!
//! A *check* proves one thing about the world: that a database answers, that a key is accepted,
//! that a disk has room. The same check serves preflight and runtime. It never retries, sleeps,
//! caches or logs its own failure: the [`Runner`] owns time-outs, panics, concurrency and retry.
//!
//! A failing dependency is data ([`Outcome`]), never an `Err`. What anyone may read
//! ([`PublicText`]) and what only operators may read ([`PrivateText`]) are different types, so
//! that a driver's message, a host or a secret cannot reach an open endpoint by accident.
//!
//! This crate does no I/O.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
mod check;
pub mod conformance;
mod context;
mod heartbeat;
mod meta;
mod observer;
mod outcome;
mod phase;
mod rank;
mod registry;
mod report;
mod runner;
mod text;

pub use backoff::Backoff;
pub use check::Check;
pub use context::CheckContext;
pub use heartbeat::{Heartbeat, Heartbeats, Overdue};
pub use meta::{CheckMeta, Cost, Criticality, Group, Groups, InvalidMeta};
pub use observer::RunObserver;
pub use outcome::{Code, Finding, Observed, Outcome, Retry, Status};
pub use phase::Phase;
pub use rank::{Health, Rank, rank};
pub use registry::{Registry, RegistryBuilder, RegistryError, RegistryProblem};
pub use report::{CheckReport, Report};
pub use runner::{Runner, Waiting};
pub use text::{PrivateText, PublicText, PublicValue};
