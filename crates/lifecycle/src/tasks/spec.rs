//! What a task is.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tria_check::Backoff;

use super::TaskContext;
use crate::{HookError, hook::HookResult};

/// One task: its name, its work, and what happens when the work ends by itself.
pub struct TaskSpec {
    pub(super) name: Arc<str>,
    pub(super) work: Work,
    pub(super) on_end: OnEnd,
    pub(super) may_end: bool,
    pub(super) heartbeat: Duration,
    pub(super) stop_timeout: Duration,
}

/// What happens when a task panics, fails, or ends although nobody asked it to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OnEnd {
    /// It is started anew after a wait, which grows with each end. After a minute of work the
    /// waits begin anew, too.
    Restart(Backoff),
    /// The process shuts down with the exit code that the error asks for, or
    /// [70](crate::exit_code::SOFTWARE).
    Shutdown,
}

pub(super) type Work = Arc<dyn Fn(TaskContext) -> BoxFuture<'static, HookResult> + Send + Sync>;

// === impl TaskSpec ===

impl TaskSpec {
    /// The heartbeat limit of a task that sets none.
    pub const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(60);

    /// The stop timeout of a task that sets none.
    pub const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(5);

    /// A task that does `work`, and shuts the process down when the work ends by itself.
    ///
    /// The work ends soon after the token of its context is cancelled. It is called again for
    /// each restart. Its future may be dropped at any await point, at its stop timeout.
    pub fn new<F, Fut>(name: impl Into<Arc<str>>, work: F) -> Self
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HookError>> + Send + 'static,
    {
        Self {
            name: name.into(),
            work: Arc::new(move |cx| Box::pin(work(cx))),
            on_end: OnEnd::Shutdown,
            may_end: false,
            heartbeat: Self::DEFAULT_HEARTBEAT,
            stop_timeout: Self::DEFAULT_STOP_TIMEOUT,
        }
    }

    /// Sets what happens when it panics, fails, or ends although nobody asked it to.
    pub fn on_end(mut self, on_end: OnEnd) -> Self {
        self.on_end = on_end;
        self
    }

    /// Lets it end when its work is done: `Ok` is then a good end at any time.
    pub fn may_end(mut self) -> Self {
        self.may_end = true;
        self
    }

    /// Sets how long it may go without a beat before it counts as stuck.
    pub fn heartbeat(mut self, limit: Duration) -> Self {
        self.heartbeat = limit;
        self
    }

    /// Sets how long it may take to end after its token was cancelled; then it is aborted.
    pub fn stop_timeout(mut self, limit: Duration) -> Self {
        self.stop_timeout = limit;
        self
    }
}

impl fmt::Debug for TaskSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSpec")
            .field("name", &self.name)
            .field("on_end", &self.on_end)
            .field("may_end", &self.may_end)
            .field("heartbeat", &self.heartbeat)
            .field("stop_timeout", &self.stop_timeout)
            .finish_non_exhaustive()
    }
}
