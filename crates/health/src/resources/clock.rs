//! The check of the clock.

use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tria_check::{
    Check, CheckContext, CheckMeta, Cost, Finding, Outcome, PrivateText, PublicText, PublicValue,
};

use super::{codes, optional, quantity::tenth};

type Asked = Result<SystemTime, Box<dyn Error + Send + Sync>>;

/// Compares the wall clock with that of somebody else, and with the monotonic clock.
///
/// - Warn `clock_skewed` above 2 s, Fail `clock_wrong` above 30 s of difference, of which half the
///   round trip is taken off: by that much the comparison itself may be wrong.
/// - Warn `clock_stepped`, once, where the clock was set between two runs: since the run before,
///   the wall clock advanced by a second more or less than the monotonic one. A machine that was
///   suspended looks the same.
///
/// A reference that does not answer is no warning: whoever it is has a check of its own, and one
/// cause is to give one alarm. It passes then, saying that nothing was compared; the reason is in
/// the private detail, and `clock_compared` is false.
///
/// Observed are `clock_compared`, and where it is true `clock_skew_ms` (positive where this clock
/// is ahead) and `clock_uncertainty_ms`.
pub struct ClockCheck {
    meta: CheckMeta,
    reference: &'static str,
    ask: Box<dyn Fn() -> BoxFuture<'static, Asked> + Send + Sync>,
    warn_above: Duration,
    fail_above: Duration,
    step: Duration,
    now: Box<dyn Fn() -> Moment + Send + Sync>,
    /// The end of the last run.
    before: Mutex<Option<Moment>>,
}

/// One moment by both clocks.
#[derive(Clone, Copy, Debug)]
struct Moment {
    wall: SystemTime,
    monotonic: Instant,
}

// === impl ClockCheck ===

impl ClockCheck {
    /// A check named `system.clock` against what `ask` tells, which is whose clock `reference`
    /// says, as in `PostgreSQL`. It must tell the time of the answer, and not that of a
    /// transaction's begin: `clock_timestamp()`, not `now()`.
    pub fn new<A, F, E>(reference: &'static str, ask: A) -> Self
    where
        A: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<SystemTime, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let meta = CheckMeta::new("system.clock");
        Self {
            meta: optional(meta, Duration::from_secs(30), codes::CLOCK).cost(Cost::Network),
            reference,
            ask: Box::new(move || {
                let asked = ask();
                Box::pin(async move { asked.await.map_err(Into::into) })
            }),
            warn_above: Duration::from_secs(2),
            fail_above: Duration::from_secs(30),
            step: Duration::from_secs(1),
            now: Box::new(Moment::now),
            before: Mutex::default(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::CLOCK);
        self
    }

    /// Sets above what difference it warns (2 s).
    pub fn warn_above(mut self, difference: Duration) -> Self {
        self.warn_above = difference;
        self
    }

    /// Sets above what difference it fails (30 s).
    pub fn fail_above(mut self, difference: Duration) -> Self {
        self.fail_above = difference;
        self
    }

    /// Sets how far the clock must have been set to be called stepped (1 s).
    pub fn step(mut self, step: Duration) -> Self {
        self.step = step;
        self
    }

    fn compare(&self, begun: Moment, ended: Moment, told: SystemTime) -> Outcome {
        let half = ended.monotonic.duration_since(begun.monotonic) / 2;
        let skew = signed_seconds(begun.wall + half, told);
        let certain = (skew.abs() - half.as_secs_f64()).max(0.0);
        let text = PublicText::filled(
            "the clock is {} s {} that of {}",
            &[
                tenth(skew.abs()).into(),
                if skew < 0.0 { "behind" } else { "ahead of" }.into(),
                self.reference.into(),
            ],
        );
        let remedy = "see on both machines that a time service (chrony, systemd-timesyncd) runs \
                      and reaches its servers";
        let finding = if certain > self.fail_above.as_secs_f64() {
            let finding = Finding::fail(codes::CLOCK_WRONG, text);
            finding.transient(None).remedy(remedy)
        } else if certain > self.warn_above.as_secs_f64() {
            Finding::warn(codes::CLOCK_SKEWED, text).remedy(remedy)
        } else {
            Finding::pass(PublicText::filled(
                "the clock is within {} ms of that of {}",
                &[
                    milliseconds(skew.abs() + half.as_secs_f64()),
                    self.reference.into(),
                ],
            ))
        };
        Outcome::new([finding].into_iter().chain(self.stepped(ended)))
            .observe("clock_compared", true, "")
            .observe("clock_skew_ms", milliseconds(skew), "ms")
            .observe(
                "clock_uncertainty_ms",
                milliseconds(half.as_secs_f64()),
                "ms",
            )
    }

    fn not_compared(&self, ended: Moment, why: PrivateText) -> Outcome {
        let told = PublicText::filled(
            "the clock was not compared with that of {}, which did not answer",
            &[self.reference.into()],
        );
        let finding = Finding::pass(told).detail(why);
        Outcome::new([finding].into_iter().chain(self.stepped(ended))).observe(
            "clock_compared",
            false,
            "",
        )
    }

    /// What is to say of the time since the run before. Only a run that comes to its end gets
    /// here, so that one that is dropped swallows no step.
    fn stepped(&self, ended: Moment) -> Option<Finding> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.replace(ended)?;
        let passed = ended.monotonic.duration_since(before.monotonic);
        let step = signed_seconds(ended.wall, before.wall) - passed.as_secs_f64();
        (step.abs() >= self.step.as_secs_f64()).then(|| {
            let told = PublicText::filled(
                "the clock was set {} by {} s while the process ran",
                &[
                    if step < 0.0 { "back" } else { "forward" }.into(),
                    tenth(step.abs()).into(),
                ],
            );
            Finding::warn(codes::CLOCK_STEPPED, told).remedy(
                "see who sets the clock; a time service should slew it. Was the machine suspended?",
            )
        })
    }
}

/// Seconds from `from` to `to`.
fn signed_seconds(to: SystemTime, from: SystemTime) -> f64 {
    match to.duration_since(from) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    }
}

fn milliseconds(seconds: f64) -> PublicValue {
    tenth(seconds * 1000.0).into()
}

// === impl Moment ===

impl Moment {
    /// By the system's clocks: tokio's can stand still in tests.
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            monotonic: Instant::now(),
        }
    }
}

impl Check for ClockCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let begun = (self.now)();
        let answer = timeout(cx.remaining().mul_f64(0.9), (self.ask)()).await;
        let ended = (self.now)();
        match answer {
            Ok(Ok(told)) => self.compare(begun, ended, told),
            Ok(Err(error)) => self.not_compared(ended, PrivateText::from_error(&*error)),
            Err(elapsed) => self.not_compared(ended, PrivateText::from_error(&elapsed)),
        }
    }
}

impl fmt::Debug for ClockCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockCheck")
            .field("name", &self.meta.name())
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
