//! Being asked to stop.

use tokio_util::sync::CancellationToken;

/// Asks a deployment to stop: once for "finish what you are doing and undo", twice for "now".
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: CancellationToken,
    now: CancellationToken,
}

// === impl Stop ===

impl Stop {
    /// Nobody asks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks; the second time it is meant.
    pub fn ask(&self) {
        if self.asked.is_cancelled() {
            self.now.cancel();
        }
        self.asked.cancel();
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.is_cancelled()
    }

    pub(crate) async fn asked(&self) {
        self.asked.cancelled().await;
    }

    pub(crate) async fn now(&self) {
        self.now.cancelled().await;
    }
}
