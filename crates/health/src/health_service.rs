//! Everything of this crate, put together.

use std::{borrow::Cow, sync::Arc};

use axum::Router;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tria_check::{Heartbeats, Phase, Registry, Runner};

use crate::{
    HealthState, HttpLayer, Metrics, Monitor, MonitorHandle, Sampler, Snapshot, StartupProgress,
    StateChange, metrics_routes, routes,
};

/// A runner whose every run is kept and counted, and the routes that tell of it: all that a
/// service needs for its health, put together. Clones share everything.
#[derive(Clone)]
pub struct HealthService {
    runner: Runner,
    snapshot: Arc<Snapshot>,
    metrics: Metrics,
    heartbeats: Heartbeats,
    startup: StartupProgress,
    state: HealthState,
}

/// Builds a [`HealthService`].
pub struct HealthServiceBuilder {
    registry: Registry,
    snapshot: Snapshot,
    phase: watch::Receiver<Phase>,
    version: Cow<'static, str>,
    heartbeats: Heartbeats,
    startup: StartupProgress,
}

// === impl HealthService ===

impl HealthService {
    /// Over these checks, of a service that is always in the phase Ready, has no version and
    /// whose start has no phases, unless that is said.
    pub fn builder(registry: Registry) -> HealthServiceBuilder {
        // The sender may go: the receiver keeps the last phase.
        let (_, phase) = watch::channel(Phase::Ready);
        HealthServiceBuilder {
            snapshot: Snapshot::new(&registry),
            registry,
            phase,
            version: Cow::Borrowed(""),
            heartbeats: Heartbeats::default(),
            startup: StartupProgress::default(),
        }
    }

    /// Changes what the routes read and who may read it.
    pub fn with(mut self, change: impl FnOnce(HealthState) -> HealthState) -> Self {
        self.state = change(self.state);
        self
    }

    /// Runs the checks on demand.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The last results.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The heartbeats that liveness watches.
    pub fn heartbeats(&self) -> &Heartbeats {
        &self.heartbeats
    }

    /// How far the start has come, to be told by whoever runs it.
    pub fn startup(&self) -> &StartupProgress {
        &self.startup
    }

    /// What the routes read.
    pub fn state(&self) -> &HealthState {
        &self.state
    }

    /// Samples the machine, and the disk that holds `path`, until `token` is cancelled.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn sample(self, path: impl Into<std::path::PathBuf>, token: CancellationToken) -> Self {
        let sampler = Sampler::start_with(path, token, &self.heartbeats);
        self.with(|state| state.sampler(sampler))
    }

    /// Asks what has no result yet, and then every check again and again, until `token` is
    /// cancelled. Ends when the first results are there.
    pub async fn monitor(&self, token: &CancellationToken) -> MonitorHandle {
        Monitor::prime(&self.runner, &self.snapshot).await;
        Monitor::start(&self.runner, &self.snapshot, &self.heartbeats, token)
    }

    /// The probes, the diagnostics and the metrics, see [`routes`] and [`metrics_routes`].
    pub fn routes(&self) -> Router {
        let metrics = metrics_routes(&self.metrics, self.state.clone());
        routes(self.state.clone()).merge(metrics)
    }

    /// Counts requests by route and status: to be laid on the whole router, last.
    pub fn http_layer(&self) -> HttpLayer {
        self.metrics.http_layer()
    }
}

// === impl HealthServiceBuilder ===

impl HealthServiceBuilder {
    /// Sets the phase of the process.
    pub fn phase(mut self, phase: watch::Receiver<Phase>) -> Self {
        self.phase = phase;
        self
    }

    /// Sets the version of the service.
    pub fn version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the heartbeats, where other parts of the process beat too.
    pub fn heartbeats(mut self, heartbeats: Heartbeats) -> Self {
        self.heartbeats = heartbeats;
        self
    }

    /// Sets the phases of the start.
    pub fn startup(mut self, startup: StartupProgress) -> Self {
        self.startup = startup;
        self
    }

    /// Adds somebody who is told of every change, see [`Snapshot::on_change`].
    pub fn on_change(mut self, listener: impl Fn(&StateChange) + Send + Sync + 'static) -> Self {
        self.snapshot = self.snapshot.on_change(listener);
        self
    }

    /// The service.
    pub fn build(self) -> HealthService {
        let (snapshot, metrics) = (Arc::new(self.snapshot), Metrics::new());
        let observers = (Arc::clone(&snapshot), metrics.clone());
        let runner = Runner::observed(self.registry, self.phase.clone(), observers);
        let state = HealthState::new(
            Arc::clone(&snapshot),
            self.startup.clone(),
            self.phase,
            self.version,
        );
        HealthService {
            state: state
                .heartbeats(self.heartbeats.clone())
                .runner(runner.clone()),
            runner,
            snapshot,
            metrics,
            heartbeats: self.heartbeats,
            startup: self.startup,
        }
    }
}
