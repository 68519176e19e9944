//! What the probes read, put together.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::sync::watch;
use tria_check::{Heartbeats, Phase, Registry, Runner};
use tria_health::{Access, HealthState, Metrics, Sampler, Snapshot, StartupProgress};
use tria_lifecycle::RunReport;

use crate::{
    config_command::effective,
    environment::{Environment, Usable},
    reporting,
    settings::{Environment as Kind, Settings},
};

/// The version of the program, and the commit it was built from.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const REVISION: &str = env!("TRIA_REVISION");

/// Where results are kept, and who asks for them.
pub(crate) struct Health {
    pub(crate) runner: Runner,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) heartbeats: Heartbeats,
    pub(crate) startup: StartupProgress,
    pub(crate) metrics: Metrics,
    phase: watch::Receiver<Phase>,
    lifecycle: Arc<OnceLock<watch::Receiver<RunReport>>>,
}

// === impl Health ===

impl Health {
    /// Over the checks of a start whose phases have these titles. Every run is taken in.
    pub(crate) fn new(
        registry: Registry,
        heartbeats: Heartbeats,
        phase: watch::Receiver<Phase>,
        titles: impl IntoIterator<Item = (usize, String)>,
    ) -> Self {
        let snapshot = Arc::new(Snapshot::new(&registry).on_change(reporting::tell));
        let metrics = Metrics::new();
        let observers = (Arc::clone(&snapshot), metrics.clone());
        let runner = Runner::observed(registry, phase.clone(), observers);
        Self {
            runner,
            snapshot,
            heartbeats,
            startup: StartupProgress::new(titles),
            metrics,
            phase,
            lifecycle: Arc::default(),
        }
    }

    /// What the probes and the diagnostics of the service read.
    pub(crate) fn state(
        &self,
        environment: &Environment,
        usable: &Usable,
        sampler: Sampler,
    ) -> anyhow::Result<HealthState> {
        let configuration = configuration(environment)?;
        let lifecycle = Arc::clone(&self.lifecycle);
        let state = HealthState::new(
            Arc::clone(&self.snapshot),
            self.startup.clone(),
            self.phase.clone(),
            VERSION,
        );
        Ok(state
            .revision(REVISION)
            .sampler(sampler)
            .heartbeats(self.heartbeats.clone())
            .runner(self.runner.clone())
            .access(access(&usable.settings))
            .pools(usable.dependencies.pools())
            .section("lifecycle", move || {
                let report = lifecycle.get().map(|report| report.borrow().clone());
                serde_json::to_value(report).unwrap_or_default()
            })
            .section("configuration", move || configuration.clone()))
    }

    /// Adds the report of the lifecycle to the diagnostics, once there is one.
    pub(crate) fn follow(&self, report: watch::Receiver<RunReport>) {
        // There is one lifecycle in a process.
        let _ = self.lifecycle.set(report);
    }
}

/// In development whoever reaches the address may ask; elsewhere whoever has the token, where
/// there is one. In production the rules demand one.
fn access(settings: &Settings) -> Access {
    match (settings.environment, &settings.diagnostics_token) {
        (Kind::Development, _) | (Kind::Staging, None) => Access::Open,
        (Kind::Production, None) => Access::Closed,
        (_, Some(token)) => Access::Token(token.clone()),
    }
}

/// The settings as they hold, secrets redacted; they are read once.
fn configuration(environment: &Environment) -> anyhow::Result<Value> {
    let mut told = serde_json::Map::new();
    for setting in effective(environment)? {
        told.insert(setting.name, setting.value.map_or(Value::Null, Value::from));
    }
    Ok(told.into())
}
