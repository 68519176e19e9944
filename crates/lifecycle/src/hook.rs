//! One part of a process.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

use crate::{HookContext, HookError, StopContext};

/// One part of a process: how it is started, how it is stopped, and what must be up before.
///
/// A hook may have only a start, only a stop, or neither (a point that others can come after).
///
/// # What a hook can rely on
/// - Its start is called once, when all hooks it comes after are up, and never after a stop was
///   asked for. Its future runs as a task of its own. It may be dropped at any await point: at its
///   timeout, or some time after its token was cancelled.
/// - Its stop is called at most once, only if its start succeeded, when all hooks that come after
///   it are down, and after its token was cancelled. A start that failed or timed out clears up
///   after itself; its stop is not called, unless it is one [without a
///   start](Self::stop_without_start).
pub struct Hook {
    pub(crate) name: String,
    pub(crate) after: Vec<String>,
    pub(crate) start_timeout: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) start: Option<StartFn>,
    pub(crate) stop: Option<StopFn>,
    pub(crate) stops_unstarted: bool,
}

pub(crate) type HookResult = Result<(), HookError>;
pub(crate) type StartFn = Box<dyn FnOnce(HookContext) -> BoxFuture<'static, HookResult> + Send>;
pub(crate) type StopFn = Box<dyn FnOnce(StopContext) -> BoxFuture<'static, HookResult> + Send>;

// === impl Hook ===

impl Hook {
    /// The start timeout of a hook that sets none.
    pub const DEFAULT_START_TIMEOUT: Duration = Duration::from_secs(30);

    /// The stop timeout of a hook that sets none.
    pub const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(10);

    /// A hook that does nothing yet. Its name is unique in a lifecycle.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            after: Vec::new(),
            start_timeout: Self::DEFAULT_START_TIMEOUT,
            stop_timeout: Self::DEFAULT_STOP_TIMEOUT,
            start: None,
            stop: None,
            stops_unstarted: false,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds hooks that must be up before this one starts, and stay up until it is down.
    pub fn after<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// How long its start may take; after that its future is dropped and the start has failed.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// How long its stop may take; after that its future is dropped and the stop goes on with the
    /// hooks it comes after.
    pub fn stop_timeout(mut self, limit: Duration) -> Self {
        self.stop_timeout = limit;
        self
    }

    /// What starts it. The future ends when the part is up: what runs on is spawned by it, and
    /// ends when [`HookContext::token`] is cancelled.
    pub fn on_start<F, Fut>(mut self, start: F) -> Self
    where
        F: FnOnce(HookContext) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), HookError>> + Send + 'static,
    {
        self.start = Some(Box::new(move |cx| Box::pin(start(cx))));
        self
    }

    /// What stops it. The future ends when the part is down.
    pub fn on_stop<F, Fut>(mut self, stop: F) -> Self
    where
        F: FnOnce(StopContext) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), HookError>> + Send + 'static,
    {
        self.stop = Some(Box::new(move |cx| Box::pin(stop(cx))));
        self
    }

    /// Calls its stop also if its start failed, or was never called because the whole start failed
    /// or was interrupted before: for what is at work before the lifecycle runs, such as a server.
    /// What it comes after stays up until it is down, as ever.
    pub fn stop_without_start(mut self) -> Self {
        self.stops_unstarted = true;
        self
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("name", &self.name)
            .field("after", &self.after)
            .field("start_timeout", &self.start_timeout)
            .field("stop_timeout", &self.stop_timeout)
            .field("has_start", &self.start.is_some())
            .field("has_stop", &self.stop.is_some())
            .field("stops_unstarted", &self.stops_unstarted)
            .finish()
    }
}
