//! What happened to a circuit, counted so that reading it waits for nobody.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::reading::{CircuitReading, CircuitState, FailureKind, Failures};

/// Nothing happened at this time.
const NEVER: u64 = u64::MAX;

/// The counters of one circuit. Times are in milliseconds since it was made.
pub(super) struct Tally {
    name: &'static str,
    made: Instant,
    era: AtomicU64,
    left_closed: AtomicU64,
    opened: AtomicU64,
    opened_total: AtomicU64,
    sent: AtomicU64,
    shed: AtomicU64,
    in_a_row: AtomicU32,
    failures: [AtomicU64; FailureKind::ALL.len()],
}

// === impl Tally ===

impl Tally {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            made: Instant::now(),
            era: AtomicU64::new(0),
            left_closed: AtomicU64::new(NEVER),
            opened: AtomicU64::new(NEVER),
            opened_total: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            in_a_row: AtomicU32::new(0),
            failures: Default::default(),
        }
    }

    /// The circuit changes its state, and tells so in the log. Called for one change at a time.
    pub(super) fn changed(&self, from: CircuitState, to: CircuitState) {
        self.era.fetch_add(1, Relaxed);
        match to {
            CircuitState::Open => {
                if from == CircuitState::Closed {
                    self.left_closed.store(self.now(), Relaxed);
                    self.opened_total.fetch_add(1, Relaxed);
                    tracing::warn!(
                        circuit = self.name,
                        failures = self.in_a_row.load(Relaxed),
                        "the model API failed too often and is not asked for a while"
                    );
                }
                // Last, for the rest begins when all of this is done.
                self.opened.store(self.now(), Relaxed);
            }
            CircuitState::Closed => {
                self.left_closed.store(NEVER, Relaxed);
                tracing::info!(circuit = self.name, "the model API answers again");
            }
            CircuitState::HalfOpen => {}
        }
    }

    /// How often the state changed.
    pub(super) fn era(&self) -> u64 {
        self.era.load(Relaxed)
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    pub(super) fn shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }

    pub(super) fn served(&self) {
        self.in_a_row.store(0, Relaxed);
    }

    pub(super) fn failed(&self, kind: FailureKind) {
        self.in_a_row.fetch_add(1, Relaxed);
        self.failures[kind as usize].fetch_add(1, Relaxed);
    }

    /// What is left of the rest that began when it opened last. A little too long, for the circuit
    /// looks at the clock later than this did, and who waits as long as told must be let through.
    pub(super) fn rest(&self, open_for: Duration) -> Duration {
        const MARGIN: Duration = Duration::from_millis(2);
        let opened = Duration::from_millis(self.opened.load(Relaxed));
        let until = opened.saturating_add(open_for).saturating_add(MARGIN);
        until.saturating_sub(self.made.elapsed())
    }

    pub(super) fn reading(&self, state: CircuitState, rest: Option<Duration>) -> CircuitReading {
        let failures = Failures::count(|kind| self.failures[kind as usize].load(Relaxed));
        let left_closed = self.left_closed.load(Relaxed);
        CircuitReading {
            state,
            consecutive_failures: self.in_a_row.load(Relaxed),
            opened_since: (left_closed != NEVER)
                .then(|| Duration::from_millis(self.now().saturating_sub(left_closed))),
            retry_after: rest,
            opened_total: self.opened_total.load(Relaxed),
            calls_total: self.sent.load(Relaxed),
            shed_total: self.shed.load(Relaxed),
            failures_total: failures.total(),
            failures,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}
