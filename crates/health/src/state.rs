//! What the probes read.

use std::{borrow::Cow, sync::Arc, time::Instant};

use serde_json::Value;
use tokio::sync::watch;
use tria_check::{Heartbeats, Phase, Runner};

use crate::{Access, Number, Pool, Sampler, Snapshot, StartupProgress, probe::Caches};

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
    pub(crate) revision: Cow<'static, str>,
    pub(crate) sampler: Option<Sampler>,
    pub(crate) heartbeats: Heartbeats,
    pub(crate) runner: Option<Runner>,
    pub(crate) access: Access,
    pub(crate) pools: Vec<Pool>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) sections: Vec<Section>,
    pub(crate) caches: Arc<Caches>,
    /// The clock of the system, because tokio's may sit behind a lock where it can be paused,
    /// and liveness waits for nothing.
    pub(crate) begun: Instant,
}

/// A part of the diagnostics that the service brings.
#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) tell: Arc<dyn Fn() -> Value + Send + Sync>,
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
                revision: Cow::Borrowed("unknown"),
                sampler: None,
                heartbeats: Heartbeats::default(),
                runner: None,
                access: Access::default(),
                pools: Vec::new(),
                numbers: Vec::new(),
                sections: Vec::new(),
                caches: Arc::default(),
                begun: Instant::now(),
            }),
        }
    }

    /// Sets the revision that the program was built from, as in `3d6d4d3`; `unknown`, if it is
    /// not set.
    pub fn revision(mut self, revision: impl Into<Cow<'static, str>>) -> Self {
        self.change().revision = revision.into();
        self
    }

    /// Adds the numbers of the machine to what readiness tells.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.change().sampler = Some(sampler);
        self
    }

    /// Adds the heartbeats of the process's own tasks: liveness is 503 while one is overdue.
    pub fn heartbeats(mut self, heartbeats: Heartbeats) -> Self {
        self.change().heartbeats = heartbeats;
        self
    }

    /// Lets those who have `access` have checks run by `?fresh=1`, through this runner. The
    /// snapshot must be its observer, see [`Runner::observed`]; otherwise callers at once may
    /// cause more than one run.
    pub fn runner(mut self, runner: Runner) -> Self {
        self.change().runner = Some(runner);
        self
    }

    /// Says who may read diagnostics and have checks run; nobody, unless it is set.
    pub fn access(mut self, access: Access) -> Self {
        self.change().access = access;
        self
    }

    /// Adds pools to diagnostics and metrics; their names are unique.
    pub fn pools(mut self, pools: impl IntoIterator<Item = Pool>) -> Self {
        self.change().pools.extend(pools);
        self
    }

    /// Adds numbers to the metrics; their names are unique.
    pub fn numbers(mut self, numbers: impl IntoIterator<Item = Number>) -> Self {
        self.change().numbers.extend(numbers);
        self
    }

    /// Adds a section to the diagnostics, made anew each time it is asked for. It must hold no
    /// secret, and must not wait.
    pub fn section(
        mut self,
        name: &'static str,
        tell: impl Fn() -> Value + Send + Sync + 'static,
    ) -> Self {
        self.change().sections.push(Section {
            name,
            tell: Arc::new(tell),
        });
        self
    }

    /// The diagnostics as they stand, for a log.
    pub fn diagnostics(&self) -> Value {
        crate::diagnostics::document(&self.shared)
    }

    fn change(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }
}

impl Shared {
    /// The phase at this moment.
    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}
