//! What a check is told when it runs.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Phase;

/// What a check is told when it runs: until when, whether it is still wanted, and in which phase
/// the process is.
#[derive(Clone, Debug)]
pub struct CheckContext {
    deadline: Instant,
    cancel: CancellationToken,
    phase: Phase,
}

// === impl CheckContext ===

impl CheckContext {
    /// A context that ends at `deadline` or when `cancel` is cancelled.
    pub fn new(deadline: Instant, cancel: CancellationToken, phase: Phase) -> Self {
        Self {
            deadline,
            cancel,
            phase,
        }
    }

    /// The moment at which the runner drops the check's future.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time that is left, to be handed down to a driver that takes a timeout.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Cancelled when nobody wants the answer any more. The runner drops the future then; a
    /// check only needs it to tell work that it has spawned.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The phase of the process.
    pub fn phase(&self) -> Phase {
        self.phase
    }
}
