//! What happened in a run.

use std::{process::ExitCode, time::Duration};

use serde::{Serialize, Serializer};
use tria_check::Phase;

use crate::{LifecycleError, ShutdownReason};

/// What happened in a run: so far while it runs, all of it when it has ended.
///
/// It serialises for diagnostics; durations are written in milliseconds (`…_ms`), and what hooks
/// said in their errors is left out (see [`LifecycleError`]).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Where the run stands.
    pub phase: Phase,
    /// The exit code for the process; 0 until the run has ended.
    pub exit_code: u8,
    /// Why the process stops; none until it does.
    pub reason: Option<ShutdownReason>,
    /// How long the start took until everything was ready.
    #[serde(rename = "ready_after_ms", serialize_with = "milliseconds")]
    pub ready_after: Option<Duration>,
    /// How long stopping or rolling back took, from when it was asked for to its end.
    #[serde(rename = "stopped_after_ms", serialize_with = "milliseconds")]
    pub stopped_after: Option<Duration>,
    /// The hooks, in the order in which they were given.
    pub hooks: Vec<HookReport>,
    /// The background tasks of all hooks, in the order in which they were first started.
    pub tasks: Vec<TaskReport>,
    /// Everything that went wrong, in the order in which it did.
    pub errors: Vec<LifecycleError>,
    /// The hooks that had started and were not stopped at the stop deadline.
    pub pending: Vec<String>,
}

/// What happened to one hook.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct HookReport {
    /// Its name.
    pub name: String,
    /// The names of the hooks it comes after.
    pub after: Vec<String>,
    /// Its start.
    pub start: StepReport,
    /// Its stop.
    pub stop: StepReport,
}

/// What happened when a hook was started or stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took; none until it has ended.
    #[serde(rename = "elapsed_ms", serialize_with = "milliseconds")]
    pub elapsed: Option<Duration>,
}

/// How the start or the stop of a hook ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepOutcome {
    /// It has not begun; in the report of a run that ended, it never did.
    #[default]
    Waiting,
    /// It is under way.
    Running,
    /// It succeeded.
    Done,
    /// It returned an error.
    Failed,
    /// It panicked.
    Panicked,
    /// It did not end within its own limit.
    TimedOut,
    /// A start that was given up because the whole start was.
    Interrupted,
    /// A stop that had not ended, or not begun, at the stop deadline.
    Pending,
}

/// How a background task stands.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TaskReport {
    /// Its name.
    pub name: String,
    /// The hook that it belongs to.
    pub hook: String,
    /// Where it stands.
    pub state: TaskState,
    /// How often it was started anew.
    pub restarts: u32,
}

/// Where a background task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskState {
    /// It is at work.
    #[default]
    Running,
    /// It ended by itself and is about to be started anew.
    Waiting,
    /// It has ended as it should.
    Ended,
    /// It has ended otherwise, for good.
    Failed,
    /// It did not stop in time. What of it blocks a thread may still run.
    Aborted,
}

// === impl RunReport ===

impl RunReport {
    pub(crate) fn new(hooks: Vec<HookReport>) -> Self {
        Self {
            phase: Phase::Starting,
            exit_code: 0,
            reason: None,
            ready_after: None,
            stopped_after: None,
            hooks,
            tasks: Vec::new(),
            errors: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// The hook of that name.
    pub fn hook(&self, name: &str) -> Option<&HookReport> {
        self.hooks.iter().find(|hook| hook.name == name)
    }

    /// Whether the run ended, and nothing went wrong in it.
    pub fn is_clean(&self) -> bool {
        self.phase == Phase::Stopped(0) && self.errors.is_empty()
    }
}

impl From<&RunReport> for ExitCode {
    fn from(report: &RunReport) -> Self {
        report.exit_code.into()
    }
}

// === impl HookReport ===

impl HookReport {
    pub(crate) fn new(name: &str, after: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            after: after.to_vec(),
            start: StepReport::default(),
            stop: StepReport::default(),
        }
    }
}

// === impl TaskReport ===

impl TaskReport {
    pub(crate) fn new(hook: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            hook: hook.to_owned(),
            state: TaskState::default(),
            restarts: 0,
        }
    }
}

// === impl StepOutcome ===

impl StepOutcome {
    /// The outcome's name as logs and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
            Self::Pending => "pending",
        }
    }
}

/// Milliseconds, to the microsecond.
pub(crate) fn as_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn milliseconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(as_ms).serialize(serializer)
}
