//! What a process does last.

use std::{fmt, io, time::Duration};

use crate::{
    PanicMessage,
    bounded::{Unfinished, bounded},
};

/// What a process does last: to send what it has measured and logged.
///
/// It runs when the runtime is gone: what is flushed from within a runtime may wait for that very
/// runtime, for ever. Each step has a thread of its own and a limit, so the worst that can happen
/// is that it was in vain. The steps run in the order in which they were added; logs come last,
/// so that they hold what went wrong with the others.
///
/// ```
/// use std::time::Duration;
/// use tria_lifecycle::Finale;
///
/// let runtime = tokio::runtime::Runtime::new()?;
/// runtime.block_on(async { /* a lifecycle runs */ });
/// runtime.shutdown_timeout(Duration::from_millis(200));
///
/// let second = Duration::from_secs(1);
/// let finale = Finale::new()
///     .step("traces", second, || { /* send what is left */ })
///     .step("log", second, || { /* write what is left */ });
/// assert!(finale.run().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
#[must_use = "it does nothing until it runs"]
pub struct Finale {
    steps: Vec<FinaleStep>,
}

/// A step of a [`Finale`] that was in vain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinaleError {
    /// It did not end within its limit, and was left behind.
    #[error("`{step}` did not end within {limit:?}")]
    TimedOut {
        /// The step.
        step: String,
        /// Its limit.
        limit: Duration,
    },
    /// It panicked.
    #[error("`{step}` panicked")]
    Panicked {
        /// The step.
        step: String,
        /// What the panic said.
        #[source]
        panic: PanicMessage,
    },
    /// There was no thread for it.
    #[error("`{step}` could not begin")]
    NotBegun {
        /// The step.
        step: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

struct FinaleStep {
    name: String,
    limit: Duration,
    work: Box<dyn FnOnce() + Send>,
}

// === impl Finale ===

impl Finale {
    /// Nothing to do yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step, which gets no more time than `limit`.
    pub fn step(
        mut self,
        name: impl Into<String>,
        limit: Duration,
        work: impl FnOnce() + Send + 'static,
    ) -> Self {
        self.steps.push(FinaleStep {
            name: name.into(),
            limit,
            work: Box::new(work),
        });
        self
    }

    /// How long it may take altogether: part of what
    /// [`reserve`](crate::LifecycleBuilder::reserve) keeps.
    pub fn limit(&self) -> Duration {
        let limits = self.steps.iter().map(|step| step.limit);
        limits.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Runs all steps, one after another; gives those that were in vain. To be called outside of
    /// any runtime.
    pub fn run(self) -> Vec<FinaleError> {
        let run = |FinaleStep { name, limit, work }| {
            let step = name.clone();
            let error = match bounded(&name, limit, work).err()? {
                Unfinished::TimedOut => FinaleError::TimedOut { step, limit },
                Unfinished::Panicked(panic) => FinaleError::Panicked { step, panic },
                Unfinished::NotBegun(source) => FinaleError::NotBegun { step, source },
            };
            Some(error)
        };
        self.steps.into_iter().filter_map(run).collect()
    }
}

impl fmt::Debug for Finale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().map(|step| (&step.name, step.limit));
        f.debug_map().entries(steps).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn each_step_gets_its_turn_and_no_more_than_its_time() {
        let (tell, told) = mpsc::channel();
        let (done, after) = (tell.clone(), tell);
        let (never, ends) = mpsc::channel::<()>();
        let limit = Duration::from_millis(50);
        let finale = Finale::new()
            .step("traces", limit * 100, move || done.send("traces").unwrap())
            .step("stuck", limit, move || ends.recv().unwrap_or_default())
            .step("broken", limit * 100, || panic!("planted"))
            .step("log", limit * 100, move || after.send("log").unwrap());
        assert_eq!(finale.limit(), limit * 301);
        let problems: Vec<String> = finale.run().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            ["`stuck` did not end within 50ms", "`broken` panicked"]
        );
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["traces", "log"]);
        drop(never);
    }
}
