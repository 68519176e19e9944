//! How long a fault may take until it shows, and its end until it counts. All numbers of the
//! matrix stand here.

use std::time::Duration;

use tria_tests::Dependency;

/// How many rows run at the same time.
pub(super) const BATCH: usize = 16;

/// How many services start at the same time: more would only wait for the machine.
pub(super) const STARTS: usize = 2;

/// The limit of one run of a check.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);

/// A check's period, and while it fails.
const PERIODS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];

/// The same of the model API's check.
const MODEL_PERIODS: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(1)];

/// How many failures in a row make a check count as failed.
const FAILURES: u32 = 3;

/// By how much the jitter may lengthen a period.
const JITTER: f64 = 1.2;

/// What an answer and the next poll may add.
const SLACK: Duration = Duration::from_secs(1);

/// What a machine of two cores that does other things besides may add to any bound. A row that
/// needs it is marked in the table.
pub(super) const BUSY: Duration = Duration::from_secs(2);

/// After how many periods without news (and a timeout) a result is stale.
const STALE_PERIODS: f64 = 2.5;

/// By how much more than its period and its timeout a task may be late.
pub(super) const SLACK_OF_A_HEARTBEAT: Duration = Duration::from_secs(10);

/// How much longer than its bound a row waits, so that it can tell by how much it was missed.
pub(super) const OVERTIME: Duration = Duration::from_secs(10);

/// How much more memory than at its start a service may hold after a row, in kB. What serving 200
/// connections at once takes is not given back by the allocator; a leak would grow on.
pub(super) const MEMORY_KB: u64 = 8 * 1024;

/// How many more files than at its start a service may have open after a row: the two checks of
/// PostgreSQL may have met, which opens a second connection, and each probe pool holds one.
pub(super) const FILES: usize = 2;

/// How long connections may take to be closed once all is well again.
pub(super) const CLOSING: Duration = Duration::from_secs(5);

/// How often a check is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    period: Duration,
    failing: Duration,
}

/// How a fault is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A question is answered at once: with an error, a refusal, nonsense.
    Loud,
    /// Nothing is heard, and each run takes as long as it may.
    Silent,
}

// === impl Pace ===

impl Pace {
    /// The pace of a check that says nothing of it.
    pub(super) const USUAL: Self = Self::of_periods(PERIODS);

    pub(super) fn of(dependency: Dependency) -> Self {
        match dependency {
            Dependency::Model => Self::of_periods(MODEL_PERIODS),
            _ => Self::USUAL,
        }
    }

    const fn of_periods([period, failing]: [Duration; 2]) -> Self {
        Self { period, failing }
    }

    /// The same, where the dependency asks to be left alone for so long.
    pub(super) fn left_alone_for(self, asked: Duration) -> Self {
        Self {
            failing: self.failing.max(asked.min(self.period * 2)),
            ..self
        }
    }

    /// The longest time from a pass to the next question.
    fn period(self) -> Duration {
        self.period.mul_f64(JITTER)
    }

    /// The longest time from a failure to the next question.
    fn failing(self) -> Duration {
        self.failing.mul_f64(JITTER)
    }

    /// From any moment to the end of the next run, if it answers at once.
    pub(super) fn asked_within(self) -> Duration {
        self.period() + SLACK
    }

    /// The most runs that may begin within a time while all is well.
    pub(super) fn runs_within(self, time: Duration) -> usize {
        let shortest = self.period.mul_f64(2.0 - JITTER);
        let runs = time.as_millis() / shortest.as_millis() + 1;
        usize::try_from(runs).unwrap_or(usize::MAX)
    }

    /// From the fault to 503: a period until the first question, and the failures in a row. A
    /// silent one takes its time, but counts for as many as would have fitted in.
    pub(super) fn shows_within(self, manner: Manner) -> Duration {
        let asked = self.asked_within();
        match manner {
            Manner::Loud => asked + self.failing() * FAILURES,
            Manner::Silent => asked + self.failing() * FAILURES + TIMEOUT,
        }
    }

    /// From the end of the fault to 200: within two failing periods, but a silent run that is
    /// under way must end first.
    pub(super) fn recovers_within(self, manner: Manner) -> Duration {
        let asked = self.failing() * 2 + SLACK;
        match manner {
            Manner::Loud => asked,
            Manner::Silent => asked + TIMEOUT,
        }
    }

    /// From any moment until a run that was asked after it has ended well, where a failure or two
    /// may have come before.
    pub(super) fn proven_within(self) -> Duration {
        self.asked_within() + self.failing() * (FAILURES - 1)
    }

    /// From the death of whoever asks to 503.
    pub(super) fn stale_within(self) -> Duration {
        self.period.mul_f64(STALE_PERIODS) + TIMEOUT + SLACK
    }

    /// A dependency that was away for less cannot have failed as often as it takes.
    pub(super) fn forgives(self) -> Duration {
        self.failing * (FAILURES - 1)
    }
}
