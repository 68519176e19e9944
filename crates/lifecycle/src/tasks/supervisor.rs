//! Starts one task, watches it, starts it anew, and stops it.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinError,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;
use tria_check::{Heartbeats, PrivateText};

use super::{OnEnd, TaskContext, TaskError, TaskSpec, context::Pulse};
use crate::{
    HookContext, HookError, PanicMessage, TaskState, hook::HookResult, supervise::ABORT_GRACE,
};

/// After that much work an end is a new story, and not the next chapter of the last one.
const STEADY: Duration = Duration::from_secs(60);

/// Looks after one task.
pub(super) struct Supervisor {
    spec: TaskSpec,
    hook: HookContext,
    token: CancellationToken,
    pulse: Pulse,
    /// Its place in the report.
    place: usize,
    restarts: u32,
}

/// How a task ended for good.
#[derive(Debug)]
pub(super) enum TaskEnd {
    /// As it should.
    Well,
    /// Otherwise, with the exit code that it asks for. It was told already, unless it happened
    /// while the task was to stop.
    Badly(TaskError, Option<u8>),
}

type Run = AbortOnDropHandle<HookResult>;

// === impl Supervisor ===

impl Supervisor {
    pub(super) fn new(spec: TaskSpec, hook: &HookContext, heartbeats: &Heartbeats) -> Self {
        let heartbeat = heartbeats.start(Arc::clone(&spec.name), spec.heartbeat);
        Self {
            pulse: Pulse::new(heartbeat, spec.heartbeat),
            place: hook.board().add_task(hook.name(), &spec.name),
            // A child, so that a task that cancels its own token ends no other.
            token: hook.token().child_token(),
            hook: hook.clone(),
            spec,
            restarts: 0,
        }
    }

    /// Runs the task until it has ended for good.
    pub(super) async fn run(mut self) -> TaskEnd {
        let mut in_a_row = 0;
        loop {
            let begun = Instant::now();
            self.enter(TaskState::Running);
            let mut run = self.start();
            let joined = tokio::select! {
                biased;
                joined = &mut run => joined,
                () = self.token.cancelled() => return self.stop(run).await,
            };
            let (error, code) = match self.error_of(joined) {
                None => return self.well(),
                Some(error) if self.token.is_cancelled() => return self.badly(error),
                Some(error) => error,
            };
            let OnEnd::Restart(backoff) = self.spec.on_end else {
                return self.shut_down(error, code);
            };
            if begun.elapsed() >= STEADY {
                in_a_row = 0;
            }
            let delay = backoff.delay(in_a_row, None);
            in_a_row = in_a_row.saturating_add(1);
            self.restarts = self.restarts.saturating_add(1);
            self.tell(&error, delay);
            if self
                .token
                .run_until_cancelled(self.pause(delay))
                .await
                .is_none()
            {
                return self.well();
            }
        }
    }

    fn start(&self) -> Run {
        let cx = TaskContext {
            name: Arc::clone(&self.spec.name),
            restarts: self.restarts,
            token: self.token.clone(),
            pulse: self.pulse.clone(),
        };
        let span = tracing::info_span!("task", task = &*self.spec.name);
        let work = Arc::clone(&self.spec.work);
        // Called inside the task: the closure may panic too.
        let run = async move { work(cx).await };
        AbortOnDropHandle::new(tokio::spawn(run.instrument(span)))
    }

    /// Waits until the task, which is to end, has ended; aborts it when its time is over.
    async fn stop(&self, mut run: Run) -> TaskEnd {
        // From now on the stop's limits say how long it may take.
        self.pulse
            .beat_within(self.spec.stop_timeout.saturating_add(self.pulse.limit()));
        if let Ok(joined) = timeout(self.spec.stop_timeout, &mut run).await {
            return match self.error_of(joined) {
                Some(error) => self.badly(error),
                None => self.well(),
            };
        }
        run.abort();
        let task = Arc::clone(&self.spec.name);
        match timeout(ABORT_GRACE, &mut run).await {
            // It ended just before it was aborted. What it did is done.
            Ok(Ok(Ok(()))) => return self.well(),
            Ok(_) => self.pulse.retire(),
            Err(_) => tracing::warn!(
                task = &*task,
                "task blocks its thread and is left to itself"
            ),
        }
        self.enter(TaskState::Aborted);
        TaskEnd::Badly(TaskError::Aborted { task }, None)
    }

    /// What was wrong with an end; nothing, where it was merely interrupted.
    fn error_of(&self, joined: Result<HookResult, JoinError>) -> Option<(TaskError, Option<u8>)> {
        let task = &self.spec.name;
        match joined {
            Ok(Ok(())) if self.spec.may_end || self.token.is_cancelled() => None,
            Ok(Ok(())) => Some((
                TaskError::EndedEarly {
                    task: Arc::clone(task),
                },
                None,
            )),
            Ok(Err(error)) if error.is_interrupted() && self.token.is_cancelled() => None,
            Ok(Err(error)) => Some(TaskError::failed(task, error)),
            Err(error) => {
                let panic = match error.try_into_panic() {
                    Ok(payload) => PanicMessage::from_payload(&*payload),
                    Err(_) => PanicMessage::new("aborted from outside"),
                };
                Some(TaskError::panicked(task, panic))
            }
        }
    }

    /// Waits for the next start. It is heard of: whoever waits to be started anew is not stuck.
    async fn pause(&self, delay: Duration) {
        self.enter(TaskState::Waiting);
        self.pulse
            .beat_within(delay.saturating_add(self.pulse.limit()));
        sleep(delay).await;
        self.pulse.beat_within(self.pulse.limit());
    }

    fn tell(&self, error: &TaskError, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            task = &*self.spec.name,
            restarts = self.restarts,
            delay_ms,
            error = PrivateText::from_error(error).expose(),
            "a task ended and is started anew",
        );
    }

    fn shut_down(&self, error: TaskError, code: Option<u8>) -> TaskEnd {
        self.pulse.retire();
        self.enter(TaskState::Failed);
        let error = HookError::new(error);
        self.hook.fail(match code {
            Some(code) => error.with_exit_code(code),
            None => error,
        });
        TaskEnd::Well
    }

    fn well(&self) -> TaskEnd {
        self.pulse.retire();
        self.enter(TaskState::Ended);
        TaskEnd::Well
    }

    fn badly(&self, (error, code): (TaskError, Option<u8>)) -> TaskEnd {
        self.pulse.retire();
        self.enter(TaskState::Failed);
        TaskEnd::Badly(error, code)
    }

    fn enter(&self, state: TaskState) {
        self.hook.board().set_task(self.place, state, self.restarts);
    }
}
