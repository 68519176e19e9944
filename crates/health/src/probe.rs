//! What each probe answers.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use tria_check::{Group, Health, Phase, PublicText, Rank};

use crate::{
    PhaseState, Reading, Sampler, StartupPhase, sampler::Sample, service::Services, state::Shared,
    timestamp::rfc3339,
};

/// After how long to ask again while the process starts.
const STARTING_RETRY: Duration = Duration::from_secs(1);

/// After how long to ask again where the process is ending: its successor needs a while.
const ENDING_RETRY: Duration = Duration::from_secs(5);

/// The body of an answer, and whether it is good news.
pub(crate) struct Verdict<B> {
    pub(crate) body: B,
    /// After how long to ask again; `None` when all is well.
    pub(crate) retry_after: Option<Duration>,
}

/// `{"status":"alive",...}`.
#[derive(Serialize)]
pub(crate) struct Liveness {
    status: &'static str,
    timestamp: String,
    uptime_seconds: f64,
}

/// The checks of the readiness group, by service.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    status: Health,
    /// True exactly when the answer is 200.
    overall_healthy: bool,
    services: Services,
    timestamp: String,
    version: &'a str,
}

/// The summary, the phase, and the numbers of the machine where they are sampled.
#[derive(Serialize)]
pub(crate) struct Readiness<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Sample>,
}

/// How far the start has come.
#[derive(Serialize)]
pub(crate) struct Startup<'a> {
    status: StartupStatus,
    complete: bool,
    phase: &'static str,
    phases: Vec<PhaseBody>,
    timestamp: String,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum StartupStatus {
    Starting,
    Complete,
    Failed,
}

#[derive(Serialize)]
struct PhaseBody {
    number: usize,
    title: String,
    state: PhaseState,
    lines: Vec<PublicText>,
    elapsed_ms: Option<u64>,
}

// === impl Liveness ===

impl Liveness {
    /// Reads two clocks and nothing else.
    pub(crate) fn now(shared: &Shared) -> Self {
        let uptime = shared.begun.elapsed().as_secs_f64();
        Self {
            status: "alive",
            timestamp: rfc3339(SystemTime::now()),
            uptime_seconds: (uptime * 1_000.0).round() / 1_000.0,
        }
    }
}

// === impl Summary ===

impl<'a> Summary<'a> {
    /// The checks as they stand, whatever the phase.
    pub(crate) fn now(shared: &'a Shared) -> Verdict<Self> {
        let readings = shared.snapshot.readings(Group::Readiness);
        let status = Health::of(readings.iter().map(Reading::rank));
        Verdict {
            body: Self {
                status,
                overall_healthy: status != Health::Unhealthy,
                services: Services::fold(&readings),
                timestamp: rfc3339(SystemTime::now()),
                version: &shared.version,
            },
            retry_after: (status == Health::Unhealthy).then(|| until_asked_again(&readings)),
        }
    }
}

/// When the last of the checks that keep the process from being healthy is asked again.
fn until_asked_again(readings: &[Reading<'_>]) -> Duration {
    let blocking = readings.iter().filter(|r| r.rank() >= Rank::Uncertain);
    blocking.map(Reading::interval).max().unwrap_or_default()
}

// === impl Readiness ===

impl<'a> Readiness<'a> {
    /// The summary, which is unhealthy in any phase but Ready.
    pub(crate) fn now(shared: &'a Shared) -> Verdict<Self> {
        let phase = shared.phase();
        let Verdict {
            body: mut summary,
            mut retry_after,
        } = Summary::now(shared);
        if !phase.is_ready() {
            summary.status = Health::Unhealthy;
            summary.overall_healthy = false;
            retry_after = retry_after.max(Some(retry_in(phase)));
        }
        let metrics = shared.sampler.as_ref().and_then(Sampler::last);
        Verdict {
            body: Self {
                summary,
                phase: phase.name(),
                metrics: metrics.map(|sample| Sample::clone(&sample)),
            },
            retry_after,
        }
    }
}

fn retry_in(phase: Phase) -> Duration {
    if phase.is_ending() {
        ENDING_RETRY
    } else {
        STARTING_RETRY
    }
}

// === impl Startup ===

impl<'a> Startup<'a> {
    /// A start that was completed stays so while the process drains and stops.
    pub(crate) fn now(shared: &'a Shared) -> Verdict<Self> {
        let phase = shared.phase();
        let phases = shared.startup.phases();
        let status = match phase {
            Phase::Starting => StartupStatus::Starting,
            Phase::Ready | Phase::Draining | Phase::Stopping => StartupStatus::Complete,
            // It may have been stopped in the middle of its start.
            Phase::Stopped(_) if phases.iter().all(has_passed) => StartupStatus::Complete,
            Phase::RollingBack | Phase::Stopped(_) | Phase::Failed(_) => StartupStatus::Failed,
        };
        let complete = matches!(status, StartupStatus::Complete);
        Verdict {
            body: Self {
                status,
                complete,
                phase: phase.name(),
                phases: phases.iter().map(PhaseBody::of).collect(),
                timestamp: rfc3339(SystemTime::now()),
                version: &shared.version,
            },
            retry_after: (!complete).then(|| retry_in(phase)),
        }
    }
}

fn has_passed(phase: &StartupPhase) -> bool {
    matches!(phase.state, PhaseState::Passed | PhaseState::Warned)
}

// === impl PhaseBody ===

impl PhaseBody {
    fn of(phase: &StartupPhase) -> Self {
        let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self {
            number: phase.number,
            title: phase.title.to_string(),
            state: phase.state,
            lines: phase.lines.clone(),
            elapsed_ms: phase.elapsed().map(millis),
        }
    }
}
