//! Snapshots of check results, refreshed in the background, and the probes that read them.
//!
//! A probe costs nothing: it reads a [`Snapshot`] without a lock and runs no check. A [`Monitor`]
//! refreshes the snapshot in the background, and the age of every result is judged when it is
//! read, so that a refresher that died can never look healthy.
//!
//! - Liveness touches no dependency, no lock and no pool: it says that the process answers.
//! - Readiness says whether this process should get traffic: every critical check of the
//!   readiness group passes, is fresh, and the process is in the phase Ready.
//! - Startup says how far the start has come.
//!
//! Answers hold statuses, codes and public texts only; private detail has no way into them.
//!
//! [`resources`] holds checks of what a process lives on: memory, disk, descriptors, clock, pools
//! and its own tasks. A [`Sampler`] takes the numbers of the machine and of the process.
//!
//! [`HealthService`] puts all of it together; [`routes`] gives an [`axum::Router`] to merge.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod body;
mod change;
mod diagnostics;
mod fresh;
mod health_json;
mod health_service;
mod history;
mod metrics;
mod monitor;
mod negotiation;
mod number;
mod pace;
mod pool;
mod probe;
mod problem;
mod record;
pub mod resources;
mod routes;
mod sampler;
mod service;
mod snapshot;
mod startup;
mod state;
mod status_page;
mod timestamp;

pub use access::Access;
pub use change::{StateChange, Turn};
pub use health_service::{HealthService, HealthServiceBuilder};
pub use history::{History, PastResult};
pub use metrics::{HttpLayer, HttpMetrics, Metrics, metrics_routes};
pub use monitor::{Monitor, MonitorHandle};
pub use number::{Number, Sample};
pub use pool::{Pool, PoolStatus};
pub use record::Thresholds;
pub use routes::routes;
pub use sampler::{MachineSample, ProcessSample, Sampler};
pub use snapshot::{Reading, STALE, Snapshot};
pub use startup::{PhaseState, StartupPhase, StartupProgress};
pub use state::HealthState;
