//! A service whose metrics are told.

use std::sync::Arc;

use axum::{Router, http::Method};
use tokio::sync::watch;
use tria_check::{CheckMeta, CheckReport, Heartbeats, Phase, Registry, Runner};
use tria_health::{
    HealthState, Metrics, Number, Pool, PoolStatus, Snapshot, StartupProgress, metrics_routes,
    routes,
};

use super::page::Page;
use crate::rig::{Answer, ask, pass, scripted};

/// A service in the phase Ready with one pool.
pub(super) struct Service {
    pub(super) runner: Runner,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) progress: StartupProgress,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) heartbeats: Heartbeats,
    pub(super) metrics: Metrics,
    /// The probes and `/metrics`; no layer counts their requests.
    pub(super) router: Router,
}

pub(super) const POOL: PoolStatus = PoolStatus {
    size: 7,
    available: 2,
    waiting: 3,
    max: 10,
};

// === impl Service ===

impl Service {
    /// Its checks pass when they are asked.
    pub(super) fn of(metas: impl IntoIterator<Item = CheckMeta>) -> Self {
        let registry = metas
            .into_iter()
            .fold(Registry::builder(), |builder, meta| {
                builder.register(scripted(meta, |_| async { pass() }).0)
            });
        Self::over(registry.build().unwrap())
    }

    pub(super) fn over(registry: Registry) -> Self {
        Self::with(registry, Vec::new())
    }

    /// One that brings numbers of its own.
    pub(super) fn with(registry: Registry, numbers: Vec<Number>) -> Self {
        let (phase, seen) = watch::channel(Phase::Ready);
        let metrics = Metrics::new();
        let runner = Runner::observed(registry, seen.clone(), metrics.clone());
        let snapshot = Arc::new(Snapshot::new(runner.registry()));
        let progress = StartupProgress::new([(1, "Environment"), (2, "Database")]);
        let heartbeats = Heartbeats::default();
        let state = HealthState::new(Arc::clone(&snapshot), progress.clone(), seen, "1.2.3")
            .pools([Pool::new("database", || POOL)])
            .numbers(numbers)
            .heartbeats(heartbeats.clone())
            .revision("3d6d4d3");
        Self {
            router: routes(state.clone()).merge(metrics_routes(&metrics, state)),
            runner,
            snapshot,
            progress,
            phase,
            heartbeats,
            metrics,
        }
    }

    /// Runs a check once, and takes in what it found.
    pub(super) async fn run(&self, name: &str) -> CheckReport {
        let report = self.runner.run(name).await.unwrap();
        self.snapshot.record(report.clone());
        report
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        ask(&self.router, Method::GET, path).await
    }

    /// What Prometheus gets now.
    pub(super) async fn scrape(&self) -> Page {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, 200);
        Page::read(&answer.text)
    }
}
