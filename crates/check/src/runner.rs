//! Runs checks: time-outs, panics, single flight and retry.

use std::{
    any::Any,
    collections::HashMap,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Backoff, CheckContext, CheckReport, Code, Finding, Outcome, Phase, PrivateText, PublicText,
    Registry, Report, Retry, RunObserver, registry::Entry,
};

/// How long a caller waits beyond a check's own timeout before it answers for a flight that does
/// not end, because the check blocks its thread.
const BLOCKED_GRACE: Duration = Duration::from_millis(250);

const REPORT_BUG: &str =
    "this is a bug of the check: report it with the panic's message from the log";

const SEE_WHY_SILENT: &str =
    "see whether it is overloaded, or whether a firewall drops packets on the way";

/// Runs the checks of a registry.
///
/// - One run of a check at a time: whoever asks while one is under way gets its outcome. The run
///   belongs to the runner, so a caller that leaves does not cancel it.
/// - At its timeout a check's future is dropped, and the outcome is Fail with the code `timeout`.
/// - A panic is an outcome with the code `panic`.
///
/// Cloning is cheap; clones share the runs under way.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

struct Shared {
    registry: Registry,
    phase: watch::Receiver<Phase>,
    cancel: CancellationToken,
    flights: Mutex<HashMap<String, Landing>>,
    observer: Arc<dyn RunObserver>,
}

type Landing = watch::Receiver<Option<CheckReport>>;

/// How long and how patiently to wait for a check to pass.
#[derive(Clone)]
pub struct Waiting {
    /// Until when.
    pub deadline: Instant,
    /// How long to wait between two tries.
    pub backoff: Backoff,
    /// Cancelled when waiting has lost its sense, because something else failed for good. Every
    /// check still gets its first answer.
    pub give_up: CancellationToken,
    /// Told each failed outcome after which the check will be asked again, so that nobody waits
    /// in silence.
    pub on_retry: Arc<dyn Fn(&CheckReport) + Send + Sync>,
}

// === impl Waiting ===

impl Waiting {
    /// Waits until `deadline`, with the default back-off.
    pub fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            backoff: Backoff::default(),
            give_up: CancellationToken::new(),
            on_retry: Arc::new(|_| ()),
        }
    }
}

// === impl Runner ===

impl Runner {
    /// A runner over `registry`, for a process in the given phase.
    pub fn new(registry: Registry, phase: watch::Receiver<Phase>) -> Self {
        Self::observed(registry, phase, ())
    }

    /// The same, with somebody who is told of every run.
    pub fn observed(
        registry: Registry,
        phase: watch::Receiver<Phase>,
        observer: impl RunObserver,
    ) -> Self {
        let (cancel, flights) = (CancellationToken::new(), Mutex::default());
        Self {
            shared: Arc::new(Shared {
                registry,
                phase,
                cancel,
                flights,
                observer: Arc::new(observer),
            }),
        }
    }

    /// The checks.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Drops every run under way; from now on every run is answered with `cancelled`.
    pub fn cancel(&self) {
        self.shared.cancel.cancel();
    }

    /// Runs one check once, or joins the run that is under way. `None` when there is no such
    /// check.
    pub async fn run(&self, name: &str) -> Option<CheckReport> {
        self.run_unless(name, || None).await
    }

    /// Joins the run that is under way, or gives what is `known`, or else runs the check once.
    /// `None` when there is no such check.
    ///
    /// `known` is asked while no run can begin or end, so that of any number of callers at once
    /// only one starts a run, if what it gives comes from the [`RunObserver`]. It must return at
    /// once, and must not ask this runner for anything.
    pub async fn run_unless(
        &self,
        name: &str,
        known: impl FnOnce() -> Option<CheckReport> + Send,
    ) -> Option<CheckReport> {
        let entry = self.shared.registry.entry(name)?;
        let asked = Moment::now();
        let mut landing = match self.board(&entry, known) {
            Ok(landing) => landing,
            Err(known) => return Some(*known),
        };
        let patience = asked.instant + entry.meta.get_timeout() + BLOCKED_GRACE;

        match timeout_at(patience, landing.wait_for(Option::is_some)).await {
            Ok(Ok(report)) => report.clone(),
            Ok(Err(_ended_without_answer)) => Some(asked.report(&entry, self.lost())),
            Err(_elapsed) => Some(asked.report(&entry, timed_out(&entry).into())),
        }
    }

    /// Runs the named checks concurrently. Names without a check are left out.
    pub async fn run_all<S: AsRef<str>>(&self, names: impl IntoIterator<Item = S>) -> Report {
        let runs = names
            .into_iter()
            .map(|name| async move { self.run(name.as_ref()).await });
        Report {
            checks: join_all(runs).await.into_iter().flatten().collect(),
        }
    }

    /// Runs one check until it does not fail, fails for good, or `waiting` is over, and gives its
    /// last outcome. An optional check is asked once. `None` when there is no such check.
    pub async fn wait_for(&self, name: &str, waiting: &Waiting) -> Option<CheckReport> {
        let entry = self.shared.registry.entry(name)?;
        let asked = Moment::now();
        let mut last = match timeout_at(waiting.deadline, self.run(name)).await {
            Ok(report) => report?,
            Err(_elapsed) => asked.report(&entry, no_time_left().into()),
        };
        while last.is_blocking() && !last.outcome.is_permanent_failure() {
            let retry_after = match last.outcome.retry() {
                Retry::Transient(after) => after,
                Retry::Permanent => None,
            };
            let pause = waiting.backoff.delay(last.attempts - 1, retry_after);
            if !waiting.give_up.is_cancelled() {
                (waiting.on_retry)(&last);
            }
            let next = async {
                sleep_until(Instant::now() + pause).await;
                self.run(name).await
            };
            let attempts = last.attempts + 1;
            tokio::select! {
                biased;
                () = waiting.give_up.cancelled() => break,
                () = sleep_until(waiting.deadline) => break,
                report = next => last = CheckReport { attempts, ..report? },
            }
        }
        Some(last)
    }

    /// The run under way, or what is known, or a new run.
    fn board(
        &self,
        entry: &Arc<Entry>,
        known: impl FnOnce() -> Option<CheckReport>,
    ) -> Result<Landing, Box<CheckReport>> {
        let mut flights = self
            .shared
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = flights.get(entry.meta.name()) {
            // A flight that landed or died may still be listed for an instant.
            if landing.borrow().is_none() && landing.has_changed().is_ok() {
                let landing = landing.clone();
                drop(flights);
                self.shared.observer.joined(entry.meta.name());
                return Ok(landing);
            }
        }
        if let Some(known) = known() {
            return Err(Box::new(known));
        }
        let (land, landing) = watch::channel(None);
        flights.insert(entry.meta.name().to_owned(), landing.clone());
        drop(flights);
        let (runner, entry) = (self.clone(), Arc::clone(entry));
        tokio::spawn(async move {
            let report = runner.fly(&entry).await;
            runner.shared.observer.ended(&report);
            let mut flights = runner
                .shared
                .flights
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            flights.remove(entry.meta.name());
            drop(flights);
            land.send_replace(Some(report));
        });
        Ok(landing)
    }

    /// Runs the check once, in a task of its own.
    async fn fly(&self, entry: &Entry) -> CheckReport {
        let begun = Moment::now();
        let deadline = begun.instant + entry.meta.get_timeout();
        let cancel = self.shared.cancel.child_token();
        let cx = CheckContext::new(deadline, cancel.clone(), *self.shared.phase.borrow());
        let check = attended(async { entry.check.check_boxed(&cx).await });
        let check = AssertUnwindSafe(check).catch_unwind();
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => cancelled().into(),
            answer = timeout_at(deadline, check) => match answer {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panic)) => panicked(panic.as_ref()).into(),
                Err(_elapsed) => timed_out(entry).into(),
            },
        };
        // Work that the check has spawned must not outlive it.
        cx.cancellation().cancel();
        begun.report(entry, outcome)
    }

    fn lost(&self) -> Outcome {
        if self.shared.cancel.is_cancelled() {
            return cancelled().into();
        }
        Finding::fail(Code::PANIC, "the check ended without an answer")
            .remedy(REPORT_BUG)
            .into()
    }
}

/// Sees before each poll of a check that another worker is awake, because a check may block its
/// thread. Only one worker waits for the timers and sockets of the whole runtime; what it is woken
/// for it polls itself, and nobody waits in its place (tokio-rs/tokio#4730).
async fn attended<C: Future>(check: C) -> C::Output {
    let mut check = pin!(check);
    poll_fn(|cx| {
        wake_another_worker();
        check.as_mut().poll(cx)
    })
    .await
}

/// The first task that is spawned here this worker keeps for itself; for a second one it calls
/// another.
fn wake_another_worker() {
    for _ in 0..2 {
        tokio::spawn(async {});
    }
}

/// When a run began, by both clocks.
struct Moment {
    wall: SystemTime,
    instant: Instant,
}

impl Moment {
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            instant: Instant::now(),
        }
    }

    fn report(&self, entry: &Entry, outcome: Outcome) -> CheckReport {
        let finished = Instant::now();
        CheckReport {
            name: entry.meta.name().to_owned(),
            criticality: entry.meta.get_criticality(),
            outcome,
            started_at: self.wall,
            finished,
            duration: finished.saturating_duration_since(self.instant),
            attempts: 1,
        }
    }
}

fn timed_out(entry: &Entry) -> Finding {
    let limit = u64::try_from(entry.meta.get_timeout().as_millis()).unwrap_or(u64::MAX);
    Finding::fail(
        Code::TIMEOUT,
        PublicText::filled("no answer within {} ms", &[limit.into()]),
    )
    .remedy(SEE_WHY_SILENT)
    .transient(None)
}

fn no_time_left() -> Finding {
    Finding::fail(
        Code::TIMEOUT,
        "no answer before the deadline of the whole run",
    )
    .remedy(SEE_WHY_SILENT)
    .transient(None)
}

fn cancelled() -> Finding {
    Finding::unknown(Code::CANCELLED, "the run was cancelled")
}

fn panicked(panic: &(dyn Any + Send)) -> Finding {
    let message = panic_message(panic);
    Finding::fail(Code::PANIC, "the check panicked")
        .remedy(REPORT_BUG)
        .detail(PrivateText::new(message))
}

/// What a panic said, where it said it in text.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
