//! What the probes read, put together.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::sync::watch;
use tria_check::{Heartbeats, Phase};
use tria_health::{Access, HealthService, StartupProgress};
use tria_lifecycle::RunReport;

use crate::{
    checks,
    config_command::effective,
    environment::{Environment, Usable},
    reporting,
    settings::{Environment as Kind, Settings},
};

/// The version of the program, and the commit it was built from.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const REVISION: &str = env!("TRIA_REVISION");

/// The health of the service, and what the diagnostics learn later.
pub(crate) struct Health {
    pub(crate) service: HealthService,
    lifecycle: Arc<OnceLock<watch::Receiver<RunReport>>>,
}

// === impl Health ===

impl Health {
    /// Over the checks of a start whose phases have these titles.
    pub(crate) fn new(
        environment: &Environment,
        usable: &Usable,
        phase: watch::Receiver<Phase>,
        titles: impl IntoIterator<Item = (usize, String)>,
    ) -> anyhow::Result<Self> {
        let heartbeats = Heartbeats::default();
        let registry = checks::of_service(environment, usable, &heartbeats)?;
        let service = HealthService::builder(registry)
            .phase(phase)
            .version(VERSION)
            .heartbeats(heartbeats)
            .startup(StartupProgress::new(titles))
            .on_change(reporting::tell)
            .build();
        let lifecycle: Arc<OnceLock<watch::Receiver<RunReport>>> = Arc::default();
        let configuration = configuration(environment)?;
        let seen = Arc::clone(&lifecycle);
        let service = service.with(|state| {
            state
                .revision(REVISION)
                .access(access(&usable.settings))
                .pools(usable.dependencies.pools())
                .section("lifecycle", move || {
                    let report = seen.get().map(|report| report.borrow().clone());
                    serde_json::to_value(report).unwrap_or_default()
                })
                .section("configuration", move || configuration.clone())
        });
        Ok(Self { service, lifecycle })
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
