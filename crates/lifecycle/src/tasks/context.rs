//! What a task is told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time;
use tokio_util::sync::CancellationToken;
use tria_check::Heartbeat;

use crate::HookError;

/// What a task is told when it is started. Clones are the same context.
#[derive(Clone, Debug)]
pub struct TaskContext {
    pub(super) name: Arc<str>,
    pub(super) restarts: u32,
    pub(super) token: CancellationToken,
    pub(super) pulse: Pulse,
}

/// The heartbeat of a task, which ends with the task and not with the last context.
#[derive(Clone, Debug)]
pub(super) struct Pulse {
    limit: Duration,
    heartbeat: Arc<Mutex<Option<Heartbeat>>>,
}

// === impl TaskContext ===

impl TaskContext {
    /// The task's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often it was started anew.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// The token that is cancelled when the task is to end.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Waits until the task is to end.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Tells that the task is at work, and will be heard of again within its heartbeat limit.
    pub fn beat(&self) {
        self.pulse.beat_within(self.pulse.limit);
    }

    /// Tells that the task is at work, and will be heard of again within `limit`, this time.
    pub fn beat_within(&self, limit: Duration) {
        self.pulse.beat_within(limit);
    }

    /// Runs `work` until it is done or the task is to end; then it is dropped. It beats before
    /// and after, so `work` may take as long as the heartbeat's limit.
    ///
    /// # Errors
    /// [`HookError::interrupted`] if the task is to end first.
    pub async fn interruptible<F: Future>(&self, work: F) -> Result<F::Output, HookError> {
        self.beat();
        let done = self.token.run_until_cancelled(work).await;
        self.beat();
        done.ok_or_else(HookError::interrupted)
    }

    /// Waits for what may come late or never, such as the next message of a queue: it beats all
    /// the while, since to wait for work is not to be stuck.
    ///
    /// # Errors
    /// [`HookError::interrupted`] if the task is to end first.
    pub async fn wait_for<F: Future>(&self, event: F) -> Result<F::Output, HookError> {
        let beating = async {
            let mut beats = time::interval(self.pulse.limit.max(SHORTEST) / 3);
            loop {
                beats.tick().await;
                self.beat();
            }
        };
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(HookError::interrupted()),
            output = event => {
                self.beat();
                Ok(output)
            }
            () = beating => unreachable!("it beats for ever"),
        }
    }
}

/// A shorter limit than the clock can tell would beat without a pause.
const SHORTEST: Duration = Duration::from_millis(30);

// === impl Pulse ===

impl Pulse {
    pub(super) fn new(heartbeat: Heartbeat, limit: Duration) -> Self {
        Self {
            limit,
            heartbeat: Arc::new(Mutex::new(Some(heartbeat))),
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    pub(super) fn beat_within(&self, limit: Duration) {
        let heartbeat = self.heartbeat.lock();
        if let Some(heartbeat) = &*heartbeat.unwrap_or_else(PoisonError::into_inner) {
            heartbeat.beat_within(limit);
        }
    }

    /// The task is expected no more.
    pub(super) fn retire(&self) {
        let heartbeat = self.heartbeat.lock();
        if let Some(heartbeat) = heartbeat.unwrap_or_else(PoisonError::into_inner).take() {
            heartbeat.retire();
        }
    }
}
