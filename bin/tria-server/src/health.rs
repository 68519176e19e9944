//! What the probes read, put together.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tria_chatbot::http::Chat;
use tria_check::{Heartbeats, Phase};
use tria_health::{Access, HealthService, StartupProgress};
use tria_lifecycle::RunReport;

use crate::{
    checks,
    config_command::effective,
    environment::{Environment, Usable},
    numbers, reporting,
    settings::{Environment as Kind, Settings},
};

/// The version of the program, and the commit it was built from.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const REVISION: &str = env!("TRIA_REVISION");

/// The health of the service, and what the diagnostics learn later.
pub(crate) struct Health {
    pub(crate) service: HealthService,
    lifecycle: Arc<OnceLock<watch::Receiver<RunReport>>>,
    configuration: Configuration,
}

/// The settings as the diagnostics tell them: as they hold, secrets redacted.
#[derive(Clone)]
pub(crate) struct Configuration(Arc<ArcSwap<Map<String, Value>>>);

// === impl Health ===

impl Health {
    /// Over the checks of a start whose phases have these titles.
    pub(crate) fn new(
        environment: &Environment,
        usable: &Usable,
        chat: &Chat,
        phase: watch::Receiver<Phase>,
        heartbeats: Heartbeats,
        titles: impl IntoIterator<Item = (usize, String)>,
    ) -> anyhow::Result<Self> {
        let model = chat.assistant().model();
        let registry = checks::of_service(environment, usable, model, &heartbeats)?;
        let service = HealthService::builder(registry)
            .phase(phase)
            .version(VERSION)
            .heartbeats(heartbeats)
            .startup(StartupProgress::new(titles))
            .on_change(reporting::tell)
            .build();
        let lifecycle: Arc<OnceLock<watch::Receiver<RunReport>>> = Arc::default();
        let configuration = Configuration::of(environment)?;
        let (seen, shown) = (Arc::clone(&lifecycle), configuration.clone());
        let service = service.with(|state| {
            state
                .revision(REVISION)
                .access(access(&usable.settings))
                .pools(usable.dependencies.pools())
                .numbers(numbers::of_chat(chat))
                .section("lifecycle", move || {
                    let report = seen.get().map(|report| report.borrow().clone());
                    serde_json::to_value(report).unwrap_or_default()
                })
                .section("chat", numbers::told(chat))
                .section("configuration", move || shown.to_value())
        });
        Ok(Self {
            service,
            lifecycle,
            configuration,
        })
    }

    /// Adds the report of the lifecycle to the diagnostics, once there is one.
    pub(crate) fn follow(&self, report: watch::Receiver<RunReport>) {
        // There is one lifecycle in a process.
        let _ = self.lifecycle.set(report);
    }

    /// What the diagnostics tell of the settings.
    pub(crate) fn configuration(&self) -> Configuration {
        self.configuration.clone()
    }
}

// === impl Configuration ===

impl Configuration {
    fn of(environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(told(environment)?))))
    }

    fn to_value(&self) -> Value {
        Value::Object(Map::clone(&self.0.load()))
    }

    /// Takes over those settings of another environment that were applied.
    pub(crate) fn take_over(&self, environment: &Environment, applied: &[String]) {
        // The rules were good at the start.
        let Ok(now) = told(environment) else { return };
        let mut told = Map::clone(&self.0.load());
        told.extend(now.into_iter().filter(|(key, _)| applied.contains(key)));
        self.0.store(Arc::new(told));
    }
}

fn told(environment: &Environment) -> anyhow::Result<Map<String, Value>> {
    let settings = effective(environment)?.into_iter();
    let told = settings.map(|it| (it.name, it.value.map_or(Value::Null, Value::from)));
    Ok(told.collect())
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
