//! Everything that is known, for operators.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tria_check::{
    CheckMeta, Cost, Finding, Group, Health, Observed, PrivateText, PublicText, PublicValue, Retry,
};

use crate::{
    History, MachineSample, PastResult, PoolStatus, ProcessSample, Reading, Sampler,
    probe::Progress, service::service_of, state::Shared, timestamp::rfc3339,
};

/// The document. Its private details name hosts and users, and hold no secret, which the types
/// they come in see to.
#[derive(Serialize)]
struct Diagnostics<'a> {
    status: Health,
    phase: &'static str,
    timestamp: String,
    build: Build<'a>,
    checks: Vec<CheckBody>,
    /// What the checks observed, by service: of `database` the version, its size and so on.
    observed: BTreeMap<String, BTreeMap<&'static str, Observation>>,
    pools: BTreeMap<&'static str, PoolBody>,
    system: Option<MachineSample>,
    process: Process,
    runtime: Option<Runtime>,
    heartbeats: HeartbeatsBody,
    startup: Progress,
    #[serde(flatten)]
    sections: Map<String, Value>,
}

#[derive(Serialize)]
struct Build<'a> {
    version: &'a str,
    revision: &'a str,
}

#[derive(Serialize)]
struct CheckBody {
    name: String,
    status: &'static str,
    code: &'static str,
    message: PublicText,
    critical: bool,
    groups: Vec<&'static str>,
    cost: &'static str,
    period_ms: u64,
    timeout_ms: u64,
    /// How long ago the last result came.
    age_ms: Option<u64>,
    stale: bool,
    /// All that the last run found, also where it does not count yet.
    findings: Vec<FindingBody>,
    observed: BTreeMap<&'static str, Observation>,
    runs: u64,
    consecutive_failures: u32,
    last_success: Option<String>,
    last_failure: Option<String>,
    latency: Latency,
    history: Vec<Past>,
}

#[derive(Serialize)]
struct FindingBody {
    status: &'static str,
    code: &'static str,
    message: PublicText,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<PublicText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_pass_by_itself: Option<bool>,
}

#[derive(Clone, Serialize)]
struct Observation {
    value: PublicValue,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'static str,
}

/// Durations of the kept history, in milliseconds.
#[derive(Serialize)]
struct Latency {
    #[serde(rename = "last_ms")]
    last: Option<f64>,
    #[serde(rename = "p50_ms")]
    median: Option<f64>,
    #[serde(rename = "p99_ms")]
    p99: Option<f64>,
}

#[derive(Serialize)]
struct Past {
    at: String,
    status: &'static str,
    code: &'static str,
    duration_ms: f64,
}

#[derive(Serialize)]
struct PoolBody {
    #[serde(flatten)]
    status: PoolStatus,
    in_use: usize,
}

#[derive(Serialize)]
struct Process {
    uptime_seconds: f64,
    #[serde(flatten)]
    sample: Option<ProcessSample>,
}

/// What tokio tells of itself without unstable features.
#[derive(Serialize)]
struct Runtime {
    workers: usize,
    alive_tasks: usize,
    global_queue_depth: usize,
}

#[derive(Serialize)]
struct HeartbeatsBody {
    expected: usize,
    overdue: Vec<String>,
}

/// The document as it stands. Runs nothing and waits for nothing.
pub(crate) fn document(shared: &Shared) -> Value {
    let readings = shared.snapshot.all();
    let of_readiness = readings
        .iter()
        .filter(|reading| reading.meta().is_in(Group::Readiness));
    let document = Diagnostics {
        status: Health::of(of_readiness.map(Reading::rank)),
        phase: shared.phase().name(),
        timestamp: rfc3339(SystemTime::now()),
        build: Build {
            version: &shared.version,
            revision: &shared.revision,
        },
        checks: readings.iter().map(CheckBody::of).collect(),
        observed: observed_by_service(&readings),
        pools: shared
            .pools
            .iter()
            .map(|pool| (pool.name(), PoolBody::of(pool.status())))
            .collect(),
        system: shared.sampler.as_ref().and_then(Sampler::machine),
        process: Process {
            uptime_seconds: millis(shared.begun.elapsed()) / 1_000.0,
            sample: shared.sampler.as_ref().and_then(Sampler::process),
        },
        runtime: Handle::try_current()
            .ok()
            .map(|handle| Runtime::of(&handle)),
        heartbeats: HeartbeatsBody::of(shared),
        startup: Progress::now(shared),
        sections: shared
            .sections
            .iter()
            .map(|section| (section.name.to_owned(), (section.tell)()))
            .collect(),
    };
    // Its keys are strings and its numbers finite, so that it can always be written.
    serde_json::to_value(document).unwrap_or_default()
}

/// The last observation of each name. What the whole service's check saw goes before what its
/// parts saw.
fn observed_by_service(
    readings: &[Reading<'_>],
) -> BTreeMap<String, BTreeMap<&'static str, Observation>> {
    let mut services: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
    for reading in readings {
        let service = services.entry(service_of(reading).to_owned()).or_default();
        for (name, observation) in observations(reading) {
            service.entry(name).or_insert(observation);
        }
    }
    services.retain(|_, observed| !observed.is_empty());
    services
}

fn observations(reading: &Reading<'_>) -> BTreeMap<&'static str, Observation> {
    let observed = reading.latest().map(|report| report.outcome.observed());
    let observed = observed.unwrap_or_default().iter();
    observed
        .map(|Observed { name, value, unit }| {
            let value = value.clone();
            (*name, Observation { value, unit })
        })
        .collect()
}

/// Milliseconds to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

// === impl CheckBody ===

impl CheckBody {
    fn of(reading: &Reading<'_>) -> Self {
        let meta = reading.meta();
        let latest = reading.latest();
        let none = History::default();
        let history = reading.history().unwrap_or(&none);
        let findings = latest.map(|report| report.outcome.findings());
        Self {
            name: meta.name().to_owned(),
            status: reading.status().as_str(),
            code: reading.code().as_str(),
            message: reading.text(),
            critical: meta.is_critical(),
            groups: groups(meta),
            cost: match meta.get_cost() {
                Cost::Local => "local",
                Cost::Network => "network",
                Cost::Metered => "metered",
            },
            period_ms: whole_millis(meta.effective_period()),
            timeout_ms: whole_millis(meta.get_timeout()),
            age_ms: reading.age().map(whole_millis),
            stale: reading.is_stale(),
            findings: findings
                .unwrap_or_default()
                .iter()
                .map(FindingBody::of)
                .collect(),
            observed: observations(reading),
            runs: history.runs(),
            consecutive_failures: history.consecutive_failures(),
            last_success: history.last_success().map(rfc3339),
            last_failure: history.last_failure().map(rfc3339),
            latency: Latency {
                last: latest.map(|report| millis(report.duration)),
                median: history.percentile(0.5).map(millis),
                p99: history.percentile(0.99).map(millis),
            },
            history: history.results().map(Past::of).collect(),
        }
    }
}

fn groups(meta: &CheckMeta) -> Vec<&'static str> {
    let names = [
        (Group::Startup, "startup"),
        (Group::Readiness, "readiness"),
        (Group::Liveness, "liveness"),
        (Group::Diagnostics, "diagnostics"),
    ];
    let member = names.into_iter().filter(|(group, _)| meta.is_in(*group));
    member.map(|(_, name)| name).collect()
}

// === impl FindingBody ===

impl FindingBody {
    fn of(finding: &Finding) -> Self {
        Self {
            status: finding.status().as_str(),
            code: finding.code().as_str(),
            message: finding.text().clone(),
            remedy: finding.get_remedy().cloned(),
            detail: finding
                .get_detail()
                .map(PrivateText::expose)
                .map(str::to_owned),
            may_pass_by_itself: finding
                .is_failure()
                .then(|| matches!(finding.retry(), Retry::Transient(_))),
        }
    }
}

// === impl Past ===

impl Past {
    fn of(result: &PastResult) -> Self {
        Self {
            at: rfc3339(result.at),
            status: result.status.as_str(),
            code: result.code.as_str(),
            duration_ms: millis(result.duration),
        }
    }
}

// === impl PoolBody ===

impl PoolBody {
    fn of(status: PoolStatus) -> Self {
        Self {
            in_use: status.size.saturating_sub(status.available),
            status,
        }
    }
}

// === impl Runtime ===

impl Runtime {
    fn of(handle: &Handle) -> Self {
        let metrics = handle.metrics();
        Self {
            workers: metrics.num_workers(),
            alive_tasks: metrics.num_alive_tasks(),
            global_queue_depth: metrics.global_queue_depth(),
        }
    }
}

// === impl HeartbeatsBody ===

impl HeartbeatsBody {
    fn of(shared: &Shared) -> Self {
        let overdue = shared.heartbeats.overdue();
        Self {
            expected: shared.heartbeats.expected(),
            overdue: overdue
                .iter()
                .map(|overdue| overdue.task.to_string())
                .collect(),
        }
    }
}
