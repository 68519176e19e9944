//! What a hook is told.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{HookError, ShutdownHandle, ShutdownReason, board::Board};

/// What a hook is told when it starts, and may keep while it runs. Clones are the same context.
#[derive(Clone, Debug)]
pub struct HookContext {
    name: Arc<str>,
    token: CancellationToken,
    shutdown: ShutdownHandle,
}

/// What a hook is told when it stops.
#[derive(Clone, Debug)]
pub struct StopContext {
    name: Arc<str>,
    deadline: Instant,
    reason: ShutdownReason,
}

// === impl HookContext ===

impl HookContext {
    pub(crate) fn new(name: Arc<str>, token: CancellationToken, shutdown: ShutdownHandle) -> Self {
        Self {
            name,
            token,
            shutdown,
        }
    }

    /// The hook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hook's own token. It is cancelled when the start is interrupted, and in any case before
    /// the hook's stop is called; not before the hooks that come after it are down.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Waits until the token is cancelled.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Runs `work` until it is done or the token is cancelled; then it is dropped.
    ///
    /// # Errors
    /// [`HookError::interrupted`] if the token was cancelled first.
    pub async fn interruptible<F: Future>(&self, work: F) -> Result<F::Output, HookError> {
        self.token
            .run_until_cancelled(work)
            .await
            .ok_or_else(HookError::interrupted)
    }

    /// Reports that the part this hook started is broken for good: the process shuts down, with
    /// the error's exit code, or [70](crate::exit_code::SOFTWARE) if it asks for none.
    pub fn fail(&self, error: impl Into<HookError>) {
        self.shutdown.fail(&self.name, error.into());
    }

    pub(crate) fn board(&self) -> &Board {
        self.shutdown.board()
    }

    /// The handle to shut down the process for another reason than a failure.
    pub fn shutdown_handle(&self) -> &ShutdownHandle {
        &self.shutdown
    }
}

// === impl StopContext ===

impl StopContext {
    pub(crate) fn new(name: Arc<str>, deadline: Instant, reason: ShutdownReason) -> Self {
        Self {
            name,
            deadline,
            reason,
        }
    }

    /// The hook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the hook's stop is given up: its own timeout or the end of the whole stop, whichever
    /// comes first.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time left until [`deadline`](Self::deadline).
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Why the process stops.
    pub fn reason(&self) -> &ShutdownReason {
        &self.reason
    }
}
