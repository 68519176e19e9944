//! Deploys a service without downtime and without losing a row, and undoes what fails.
//!
//! [`deploy()`] takes what is wanted ([`Desired`]) through seven [`Phase`]s. A new release is made
//! **beside** the one that serves and proves itself there; then the proxy's traffic is switched,
//! which is the commit point. A failure before it leaves the old release as it was, one after it
//! switches back. A [`journal`] on the disk and a lease let the next deployment finish or undo what
//! a killed one left.
//!
//! Everything outside is a trait in [`World`]: the container engine, the proxy, probes, the clock,
//! the store. So all of it runs in memory in tests, which kill it at every step.

pub mod backup;
mod clock;
mod command;
pub mod definition;
mod deploy;
mod desired;
pub mod engine;
mod environment;
pub mod event;
mod fingerprint;
mod halt;
pub mod journal;
mod judge;
pub mod lease;
pub mod migration;
mod outcome;
mod phase;
mod phases;
pub mod plan;
pub mod probe;
pub mod processes;
mod proxy;
mod release;
mod rollback;
pub mod secret;
mod session;
mod settle;
pub mod state;
mod stop;
pub mod store;
mod sweep;
mod terminal;
mod world;

pub use clock::{Clock, SystemClock, Timestamp};
pub use command::Ground;
pub use deploy::{deploy, plan};
pub use desired::{Desired, Options};
pub use environment::Environment;
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use judge::Judge;
pub use outcome::{ExitCode, Outcome, Problem};
pub use phase::{Deadlines, Phase};
pub use proxy::Proxy;
pub use release::Release;
pub use rollback::{make_backup, preview_restore, restore_backup, rollback};
pub use stop::Stop;
pub use terminal::{Terminal, text};
pub use world::World;
