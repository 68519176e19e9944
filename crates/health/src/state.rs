//! What the probes read.

use std::{borrow::Cow, sync::Arc, time::Instant};

use tokio::sync::watch;
use tria_check::Phase;

use crate::{Sampler, Snapshot, StartupProgress};

/// What the probes read. Cloning is cheap, clones share everything.
///
/// The process's uptime is counted from here, so make it early.
#[derive(Clone)]
pub struct HealthState {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) startup: StartupProgress,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) sampler: Option<Sampler>,
    /// The clock of the system, because tokio's may sit behind a lock where it can be paused,
    /// and liveness waits for nothing.
    pub(crate) begun: Instant,
}

// === impl HealthState ===

impl HealthState {
    /// What the probes of a service of this `version` read: its checks, how far its start has
    /// come, and its phase.
    pub fn new(
        snapshot: Arc<Snapshot>,
        startup: StartupProgress,
        phase: watch::Receiver<Phase>,
        version: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                snapshot,
                startup,
                phase,
                version: version.into(),
                sampler: None,
                begun: Instant::now(),
            }),
        }
    }

    /// Adds the numbers of the machine to what readiness tells.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        Arc::make_mut(&mut self.shared).sampler = Some(sampler);
        self
    }
}

impl Shared {
    /// The phase at this moment.
    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}
