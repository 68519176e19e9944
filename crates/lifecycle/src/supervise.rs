//! Runs one step of one hook, whatever it does.

use std::time::Duration;

use tokio::{task::JoinError, time};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument, Span};

use crate::{HookError, PanicMessage, StepOutcome, hook::HookResult};

/// How a step ended.
#[derive(Debug)]
pub(crate) enum StepEnd {
    Done,
    Failed(HookError),
    Panicked(PanicMessage),
    TimedOut,
    GivenUp,
}

/// How long the destructors of a dropped future are waited for, before it is left to itself.
/// Only a task that blocks its thread needs more, and no time would be enough for that.
pub(crate) const ABORT_GRACE: Duration = Duration::from_millis(100);

/// Runs `work` as a task of its own, so that a panic ends only the task, and work that blocks its
/// thread holds up neither the clock nor the other hooks. The task is aborted at `limit`, when
/// `give_up` is cancelled, and when the future of this function is dropped.
pub(crate) async fn supervise(
    work: impl Future<Output = HookResult> + Send + 'static,
    limit: Duration,
    give_up: &CancellationToken,
    span: Span,
) -> StepEnd {
    let mut task = AbortOnDropHandle::new(tokio::spawn(work.instrument(span.clone())));
    let too_late = tokio::select! {
        biased;
        joined = &mut task => return joined_end(joined, StepEnd::GivenUp),
        () = time::sleep(limit) => StepEnd::TimedOut,
        () = give_up.cancelled() => StepEnd::GivenUp,
    };
    task.abort();
    if let Ok(joined) = time::timeout(ABORT_GRACE, &mut task).await {
        // It may have ended just before it was aborted. What it did is done.
        joined_end(joined, too_late)
    } else {
        tracing::warn!(parent: &span, "hook blocks its thread and is left to itself");
        too_late
    }
}

fn joined_end(joined: Result<HookResult, JoinError>, aborted: StepEnd) -> StepEnd {
    match joined {
        Ok(Ok(())) => StepEnd::Done,
        Ok(Err(error)) => StepEnd::Failed(error),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => StepEnd::Panicked(PanicMessage::from_payload(&*payload)),
            Err(_) => aborted,
        },
    }
}

// === impl StepEnd ===

impl StepEnd {
    /// The outcome as the report has it.
    pub(crate) fn outcome(&self) -> StepOutcome {
        match self {
            Self::Done => StepOutcome::Done,
            Self::Failed(_) => StepOutcome::Failed,
            Self::Panicked(_) => StepOutcome::Panicked,
            Self::TimedOut => StepOutcome::TimedOut,
            Self::GivenUp => StepOutcome::Pending,
        }
    }
}
