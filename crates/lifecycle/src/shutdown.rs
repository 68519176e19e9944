//! Asking a process to stop.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::Serialize;

use crate::{HookError, LifecycleError, Signal, Step, board::Board};

/// Asks a lifecycle to shut down, from anywhere and at any time: also before it runs.
#[derive(Clone)]
pub struct ShutdownHandle {
    board: Arc<Board>,
}

/// Why a process stops. The first reason stays; later ones change nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShutdownReason {
    /// A signal was received.
    Signal(Signal),
    /// A [`ShutdownHandle`] asked for it.
    Requested(Cow<'static, str>),
    /// A hook failed to start.
    StartFailed {
        /// The hook's name.
        hook: String,
    },
    /// The start as a whole took too long.
    StartDeadline,
    /// A hook failed while it ran.
    HookFailed {
        /// The hook's name.
        hook: String,
    },
}

// === impl ShutdownHandle ===

impl ShutdownHandle {
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self { board }
    }

    /// Asks for a clean shutdown. Only the first call has an effect.
    pub fn shutdown(&self, reason: impl Into<Cow<'static, str>>) {
        self.board.request(ShutdownReason::Requested(reason.into()));
    }

    /// Why the process stops, once it was asked to.
    pub fn reason(&self) -> Option<ShutdownReason> {
        self.board.reason()
    }

    /// Waits until the process is asked to stop.
    pub async fn requested(&self) -> ShutdownReason {
        self.board.requested().await
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn fail(&self, hook: &str, error: HookError) {
        self.board
            .record(LifecycleError::failed(hook, Step::Run, error));
        self.board.request(ShutdownReason::HookFailed {
            hook: hook.to_owned(),
        });
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownHandle")
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

// === impl ShutdownReason ===

impl ShutdownReason {
    /// Whether somebody wanted it, so that stopping is no failure.
    pub fn is_on_purpose(&self) -> bool {
        matches!(self, Self::Signal(_) | Self::Requested(_))
    }
}

impl fmt::Display for ShutdownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => f.write_str(signal.name()),
            Self::Requested(reason) => f.write_str(reason),
            Self::StartFailed { hook } => write!(f, "hook `{hook}` failed to start"),
            Self::StartDeadline => f.write_str("the start took too long"),
            Self::HookFailed { hook } => write!(f, "hook `{hook}` failed"),
        }
    }
}
