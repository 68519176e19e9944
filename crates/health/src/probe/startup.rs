//! What the startup probe answers.

use std::time::Duration;

use serde::Serialize;
use tria_check::{Phase, PublicText};

use crate::{
    PhaseState, StartupPhase,
    body::{TIME, Verdict},
    probe::retry_in,
    state::Shared,
};

/// How far the start has come.
#[derive(Serialize)]
pub(crate) struct Startup<'a> {
    #[serde(flatten)]
    progress: Progress,
    timestamp: &'static str,
    version: &'a str,
}

/// The phases of the start, as they stand.
#[derive(Serialize)]
pub(crate) struct Progress {
    status: StartupStatus,
    complete: bool,
    phase: &'static str,
    phases: Vec<PhaseBody>,
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

// === impl Startup ===

impl<'a> Startup<'a> {
    pub(crate) fn now(shared: &'a Shared) -> Verdict<Self> {
        let (progress, phase) = (Progress::now(shared), shared.phase());
        Verdict {
            retry_after: (!progress.complete).then(|| retry_in(phase)),
            holds_until: None,
            body: Self {
                progress,
                timestamp: TIME,
                version: &shared.version,
            },
        }
    }
}

// === impl Progress ===

impl Progress {
    /// A start that was completed stays so while the process drains and stops.
    pub(crate) fn now(shared: &Shared) -> Self {
        let phase = shared.phase();
        let phases = shared.startup.phases();
        let status = match phase {
            Phase::Starting => StartupStatus::Starting,
            Phase::Ready | Phase::Draining | Phase::Stopping => StartupStatus::Complete,
            // It may have been stopped in the middle of its start.
            Phase::Stopped(_) if phases.iter().all(has_passed) => StartupStatus::Complete,
            Phase::RollingBack | Phase::Stopped(_) | Phase::Failed(_) => StartupStatus::Failed,
        };
        Self {
            complete: matches!(status, StartupStatus::Complete),
            status,
            phase: phase.name(),
            phases: phases.iter().map(PhaseBody::of).collect(),
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
