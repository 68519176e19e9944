//! What a run shares with those who watch it and those who may stop it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tria_check::Phase;

use crate::{
    LifecycleError, RunReport, ShutdownReason, Step, StepReport, TaskReport, TaskState,
    report::{StepOutcome, as_ms},
};

/// The state of a run. Every change of it goes through here, and is logged here.
pub(crate) struct Board {
    names: Vec<Arc<str>>,
    phase: watch::Sender<Phase>,
    report: watch::Sender<RunReport>,
    reason: watch::Sender<Option<ShutdownReason>>,
}

// === impl Board ===

impl Board {
    pub(crate) fn new(phase: watch::Sender<Phase>, report: RunReport) -> Self {
        Self {
            names: report
                .hooks
                .iter()
                .map(|hook| hook.name.as_str().into())
                .collect(),
            phase,
            report: watch::Sender::new(report),
            reason: watch::Sender::new(None),
        }
    }

    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(crate) fn report(&self) -> watch::Receiver<RunReport> {
        self.report.subscribe()
    }

    /// The report as it stands.
    pub(crate) fn latest(&self) -> RunReport {
        self.report.borrow().clone()
    }

    pub(crate) fn reason(&self) -> Option<ShutdownReason> {
        self.reason.borrow().clone()
    }

    /// Waits for the first reason to stop.
    pub(crate) async fn requested(&self) -> ShutdownReason {
        let mut reason = self.reason.subscribe();
        loop {
            if let Some(reason) = &*reason.borrow_and_update() {
                return reason.clone();
            }
            // The sender is `self`, and lives.
            let _ = reason.changed().await;
        }
    }

    /// Sets the reason to stop, unless there is one.
    pub(crate) fn request(&self, reason: ShutdownReason) {
        let is_first = self.reason.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(reason.clone());
            }
            is_first
        });
        if is_first {
            tracing::info!(%reason, "shutdown requested");
            self.report
                .send_modify(|report| report.reason = Some(reason));
        } else {
            tracing::debug!(%reason, "shutdown requested again");
        }
    }

    /// Enters the next phase, which `spent` so much time led to.
    pub(crate) fn enter(&self, phase: Phase, spent: Duration) {
        let before = *self.phase.borrow();
        debug_assert!(
            before.may_become(phase),
            "{before:?} must not become {phase:?}"
        );
        let elapsed_ms = as_ms(spent);
        match phase {
            Phase::Stopped(exit_code) | Phase::Failed(exit_code) => {
                tracing::info!(phase = phase.name(), exit_code, elapsed_ms, "phase entered");
            }
            _ => tracing::info!(phase = phase.name(), elapsed_ms, "phase entered"),
        }
        // The report first: who sees the phase may read the report for the rest.
        self.report.send_modify(|report| {
            report.phase = phase;
            match phase {
                Phase::Ready => report.ready_after = Some(spent),
                Phase::Stopped(exit_code) | Phase::Failed(exit_code) => {
                    report.exit_code = exit_code;
                    report.stopped_after = Some(spent);
                }
                _ => {}
            }
        });
        self.phase.send_replace(phase);
    }

    /// The name of a hook.
    pub(crate) fn name(&self, hook: usize) -> &Arc<str> {
        &self.names[hook]
    }

    /// Notes that a step of a hook has begun.
    pub(crate) fn begin(&self, hook: usize, step: Step) {
        tracing::debug!(hook = &*self.names[hook], %step, "hook step begun");
        let report = StepReport {
            outcome: StepOutcome::Running,
            elapsed: None,
        };
        self.set(hook, step, report);
    }

    /// Notes how a step of a hook ended, that began at `begun`.
    pub(crate) fn end(&self, hook: usize, step: Step, outcome: StepOutcome, begun: Instant) {
        let elapsed = begun.elapsed();
        let (name, elapsed_ms) = (&*self.names[hook], as_ms(elapsed));
        if matches!(outcome, StepOutcome::Done | StepOutcome::Interrupted) {
            tracing::info!(hook = name, %step, outcome = outcome.name(), elapsed_ms, "hook step ended");
        } else {
            tracing::warn!(hook = name, %step, outcome = outcome.name(), elapsed_ms, "hook step ended");
        }
        self.set(
            hook,
            step,
            StepReport {
                outcome,
                elapsed: Some(elapsed),
            },
        );
    }

    fn set(&self, hook: usize, step: Step, step_report: StepReport) {
        self.report.send_modify(|report| {
            let hook = &mut report.hooks[hook];
            match step {
                Step::Start | Step::Run => hook.start = step_report,
                Step::Stop => hook.stop = step_report,
            }
        });
    }

    /// Notes the hooks that a stop leaves behind.
    pub(crate) fn leave(&self, hooks: &[usize]) -> Vec<String> {
        let mut names = Vec::new();
        self.report.send_modify(|report| {
            for hook in hooks {
                report.hooks[*hook].stop.outcome = StepOutcome::Pending;
                names.push(report.hooks[*hook].name.clone());
            }
            report.pending.clone_from(&names);
        });
        names
    }

    /// Notes a task of a hook; gives its place.
    pub(crate) fn add_task(&self, hook: &str, name: &str) -> usize {
        let mut place = 0;
        self.report.send_modify(|report| {
            place = report.tasks.len();
            report.tasks.push(TaskReport::new(hook, name));
        });
        place
    }

    /// Notes how a task stands.
    pub(crate) fn set_task(&self, place: usize, state: TaskState, restarts: u32) {
        self.report.send_modify(|report| {
            let task = &mut report.tasks[place];
            (task.state, task.restarts) = (state, restarts);
        });
    }

    /// Notes something that went wrong.
    pub(crate) fn record(&self, error: LifecycleError) {
        tracing::error!(
            code = error.code(),
            hook = error.hook(),
            step = %error.step(),
            exit_code = error.exit_code(),
            error = error.detail().expose(),
            "lifecycle error",
        );
        self.report.send_modify(|report| report.errors.push(error));
    }
}
