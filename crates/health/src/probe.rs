//! What each probe answers.

mod startup;

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use serde::Serialize;
use tokio::time::Instant;
use tria_check::{Group, Health, Overdue, Phase, Rank};

use crate::{
    Reading, Sampler,
    body::{Cache, Ground, TIME, Verdict},
    health_json,
    negotiation::Shape,
    sampler::Sample,
    service::Services,
    state::Shared,
};

pub(crate) use self::startup::{Progress, Startup};

/// After how long to ask again while the process starts.
const STARTING_RETRY: Duration = Duration::from_secs(1);

/// After how long to ask again where the process is ending: its successor needs a while.
const ENDING_RETRY: Duration = Duration::from_secs(5);

/// After how long to ask again where a task of the process is stuck.
const STUCK_RETRY: Duration = Duration::from_secs(5);

/// How long an answer stands that tells an age in seconds.
const SECOND: Duration = Duration::from_secs(1);

/// The last answers, by what was asked.
#[derive(Default)]
pub(crate) struct Caches {
    summary: Cache,
    readiness: Cache,
    summary_draft: Cache,
    readiness_draft: Cache,
}

/// `{"status":"alive",...}`, or `"stuck"` with the tasks that are.
#[derive(Serialize)]
pub(crate) struct Liveness {
    status: &'static str,
    timestamp: &'static str,
    pub(crate) uptime_seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stuck: Vec<Stuck>,
}

/// A task of the process that is overdue.
#[derive(Serialize)]
pub(crate) struct Stuck {
    pub(crate) task: Arc<str>,
    overdue_seconds: u64,
}

/// The checks of the readiness group, by service.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    status: Health,
    /// True exactly when the answer is 200.
    overall_healthy: bool,
    services: Services,
    timestamp: &'static str,
    version: &'a str,
}

/// The summary, the phase, and the numbers of the machine where they are sampled.
#[derive(Serialize)]
pub(crate) struct Readiness<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Arc<Sample>>,
}

// === impl Liveness ===

impl Liveness {
    /// Reads clocks and heartbeats and nothing else: no dependency, no lock, no pool.
    pub(crate) fn now(shared: &Shared) -> Verdict<Self> {
        let uptime = shared.begun.elapsed().as_secs_f64();
        let stuck: Vec<_> = shared.heartbeats.overdue().iter().map(Stuck::of).collect();
        Verdict {
            retry_after: (!stuck.is_empty()).then_some(STUCK_RETRY),
            holds_until: None,
            body: Self {
                status: if stuck.is_empty() { "alive" } else { "stuck" },
                timestamp: TIME,
                uptime_seconds: (uptime * 1_000.0).round() / 1_000.0,
                stuck,
            },
        }
    }
}

impl Stuck {
    fn of(overdue: &Overdue) -> Self {
        Self {
            task: Arc::clone(&overdue.task),
            overdue_seconds: overdue.since.as_secs(),
        }
    }
}

// === impl Summary ===

/// The answer of `/health`.
pub(crate) fn summary(shared: &Shared, shape: Shape) -> Response {
    let ground = ground(shared, None);
    match shape {
        Shape::Json => shared.caches.summary.answer(ground, shape, |_| {
            let readings = shared.snapshot.readings(Group::Readiness);
            Summary::of(shared, &readings)
        }),
        Shape::HealthJson => shared.caches.summary_draft.answer(ground, shape, |ground| {
            let readings = shared.snapshot.readings(Group::Readiness);
            let ours = Summary::of(shared, &readings);
            ours.map(|ours| health_json::Document::of(&ours, &readings, ground))
        }),
    }
}

fn ground(shared: &Shared, sample: Option<Arc<Sample>>) -> Ground {
    Ground {
        generation: shared.snapshot.generation(),
        phase: shared.phase(),
        sample,
    }
}

impl<'a> Summary<'a> {
    /// The checks as they stand, whatever the phase.
    fn of(shared: &'a Shared, readings: &[Reading<'_>]) -> Verdict<Self> {
        let status = Health::of(readings.iter().map(Reading::rank));
        Verdict {
            body: Self {
                status,
                overall_healthy: status != Health::Unhealthy,
                services: Services::fold(readings),
                timestamp: TIME,
                version: &shared.version,
            },
            retry_after: (status == Health::Unhealthy).then(|| until_asked_again(readings)),
            holds_until: holds_until(readings),
        }
    }

    pub(crate) fn status(&self) -> Health {
        self.status
    }

    pub(crate) fn version(&self) -> &str {
        self.version
    }
}

/// When the last of the checks that keep the process from being healthy is asked again.
fn until_asked_again(readings: &[Reading<'_>]) -> Duration {
    let blocking = readings.iter().filter(|r| r.rank() >= Rank::Uncertain);
    blocking.map(Reading::interval).max().unwrap_or_default()
}

/// When the first of these readings changes by itself.
fn holds_until(readings: &[Reading<'_>]) -> Option<Instant> {
    if readings.iter().any(Reading::is_stale) {
        return Some(Instant::now() + SECOND);
    }
    readings.iter().filter_map(Reading::holds_until).min()
}

// === impl Readiness ===

/// The answer of `/readyz`.
pub(crate) fn readiness(shared: &Shared, shape: Shape) -> Response {
    let sample = shared.sampler.as_ref().and_then(Sampler::last);
    let ground = ground(shared, sample);
    match shape {
        Shape::Json => shared.caches.readiness.answer(ground, shape, |ground| {
            let readings = shared.snapshot.readings(Group::Readiness);
            Readiness::of(shared, &readings, ground)
        }),
        Shape::HealthJson => {
            let cache = &shared.caches.readiness_draft;
            cache.answer(ground, shape, |ground| {
                let readings = shared.snapshot.readings(Group::Readiness);
                let ours = Readiness::of(shared, &readings, ground);
                ours.map(|ours| health_json::Document::of(&ours.summary, &readings, ground))
            })
        }
    }
}

/// Whether `/readyz` answers 200.
pub(crate) fn is_ready(shared: &Shared) -> bool {
    let readings = shared.snapshot.readings(Group::Readiness);
    let status = Health::of(readings.iter().map(Reading::rank));
    shared.phase().is_ready() && status != Health::Unhealthy
}

impl<'a> Readiness<'a> {
    /// The summary, which is unhealthy in any phase but Ready.
    fn of(shared: &'a Shared, readings: &[Reading<'_>], ground: &Ground) -> Verdict<Self> {
        let mut verdict = Summary::of(shared, readings);
        if !ground.phase.is_ready() {
            verdict.body.status = Health::Unhealthy;
            verdict.body.overall_healthy = false;
            let retry_after = verdict.retry_after.max(Some(retry_in(ground.phase)));
            verdict.retry_after = retry_after;
        }
        verdict.map(|summary| Self {
            summary,
            phase: ground.phase.name(),
            metrics: ground.sample.clone(),
        })
    }
}

fn retry_in(phase: Phase) -> Duration {
    if phase.is_ending() {
        ENDING_RETRY
    } else {
        STARTING_RETRY
    }
}
