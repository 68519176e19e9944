//! The start of a process, phase by phase: nothing silent, everything that is wrong told at once.
//!
//! A [`Phase`] is a title and the checks that prove it, in order. [`Startup`] runs the phases as
//! lifecycle hooks ([`Startup::hooks`]) or on their own ([`Startup::prove`]), retries what may come
//! up by itself until a deadline, and ends the waiting as soon as one thing failed for good. Every
//! other check still gets its first answer, so that one run tells all that is wrong.
//!
//! What happens is told to [`Observer`]s: [`Banner`] writes it for people, [`EventLog`] as
//! structured events. The [`Verdict`] knows the exit code.

mod banner;
mod board;
mod event_log;
pub mod exit_code;
mod observer;
mod phase;
mod startup;
mod verdict;
mod wire;

pub use banner::{Banner, Wording};
pub use event_log::EventLog;
pub use observer::{Observer, StartupEvent};
pub use phase::{Phase, PhaseReport, PhaseState};
pub use startup::{Patience, Startup, StartupBuilder, StartupRefused};
pub use verdict::Verdict;
pub use wire::report_json;
