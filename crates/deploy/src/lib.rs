//! Deploys a service without downtime and without losing a row, and undoes what fails.
//!
//! [`deploy()`] takes what is wanted ([`Desired`]) through seven [`Phase`]s. A new release proves
//! itself **beside** the one that serves; then the traffic is switched, which is the commit point.
//! A failure before it leaves the old release as it was, one after it switches back. A [`journal`]
//! and a lease let the next deployment finish or undo what a killed one left.
//! Everything outside is a trait in [`World`], so that tests run it in memory and kill it anywhere.

pub mod backup;
pub mod caddy;
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
pub mod http_probe;
pub mod journal;
pub mod judge;
pub mod lease;
pub mod machine;
pub mod migration;
mod outcome;
mod phase;
mod phases;
pub mod plan;
pub mod probe;
pub mod processes;
pub mod proxy;
mod release;
pub mod remote;
mod rollback;
pub mod secret;
mod session;
mod settle;
pub mod state;
mod stop;
pub mod store;
mod sweep;
mod terminal;
pub mod verify;
mod world;

pub use clock::{Clock, SystemClock, Timestamp};
pub use command::Ground;
pub use deploy::{deploy, plan};
pub use desired::{Desired, Options, Source, SourceError};
pub use environment::{Environment, env_file};
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use outcome::{ExitCode, Outcome, Problem, chain};
pub use phase::{Deadlines, Phase};
pub use release::Release;
pub use rollback::{make_backup, preview_restore, restore_backup, rollback};
pub use stop::Stop;
pub use terminal::{Terminal, text};
pub use world::World;
