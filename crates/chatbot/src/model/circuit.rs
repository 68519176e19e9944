//! A circuit breaker whose verdicts are given by hand.
//!
//! `tower-resilience-circuitbreaker` decides what is let through: it opens after failures in a
//! row, and after a rest it lets one probe through, whose place is free again when the probe is
//! dropped. But it wants to run the call itself and to see how it ends. That fits neither a
//! stream, whose end comes long after its start, nor a call that says nothing about the API, as
//! one that its caller gave up. So the call that it sees here waits for a verdict, and ends as
//! that says.

use std::{
    future::pending,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::oneshot;
use tower::Service;
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerError, CircuitBreakerLayer, CircuitState as State,
    DefaultClassifier,
};

use super::{
    ModelError,
    error::Verdict,
    reading::{CircuitReading, CircuitState},
    tally::Tally,
};

/// When the place of the one probe may be free again; nobody knows how long a probe takes.
const WHILE_PROBED: Duration = Duration::from_secs(1);

/// Lets requests through, or not.
pub(super) struct Circuit {
    breaker: CircuitBreaker<Undecided, DefaultClassifier>,
    tally: Arc<Tally>,
    open_for: Duration,
}

/// A request that was let through. Dropping it says nothing about the API, and frees the place of
/// a probe.
pub(super) struct Ticket {
    call: Call,
    verdict: oneshot::Sender<bool>,
    tally: Arc<Tally>,
    /// The number of changes of state until then.
    era: u64,
    probe: bool,
}

type Call = Pin<Box<dyn Future<Output = Result<(), CircuitBreakerError<Failed>>> + Send>>;

/// The service within the breaker.
#[derive(Clone)]
struct Undecided;

/// What the breaker hands to it.
struct Waiting {
    let_through: oneshot::Sender<()>,
    verdict: oneshot::Receiver<bool>,
}

/// What the breaker counts as a failure.
#[derive(Debug)]
struct Failed;

// === impl Circuit ===

impl Circuit {
    /// Opens for `open_for` after `failures` in a row, one at least.
    pub(super) fn new(name: &'static str, failures: u32, open_for: Duration) -> Self {
        let tally = Arc::new(Tally::new(name));
        let told = Arc::clone(&tally);
        let failures = usize::try_from(failures.max(1)).unwrap_or(usize::MAX);
        let layer = CircuitBreakerLayer::builder()
            .name(name)
            .consecutive_failures(failures)
            .wait_duration_in_open(open_for)
            .permitted_calls_in_half_open(1)
            .on_state_transition(move |from, to| told.changed(state(from), state(to)))
            .build()
            .expect("one failure at least, and the defaults of the rest, are valid");
        Self {
            breaker: layer.layer_fn(Undecided),
            tally,
            open_for,
        }
    }

    /// Lets a request through.
    ///
    /// # Errors
    /// [`ModelError::Open`].
    pub(super) async fn admit(&self) -> Result<Ticket, ModelError> {
        let (let_through, mut through) = oneshot::channel();
        let (verdict, decided) = oneshot::channel();
        // Readiness is not asked for: it only looks ahead to what the call decides for itself, and
        // sleeps where another request is being decided on.
        let mut call = self.breaker.clone().call(Waiting {
            let_through,
            verdict: decided,
        });
        tokio::select! {
            biased;
            Ok(()) = &mut through => {}
            _ = &mut call => {
                self.tally.shed();
                let retry_after = match self.state() {
                    CircuitState::Open => self.tally.rest(self.open_for),
                    CircuitState::HalfOpen | CircuitState::Closed => WHILE_PROBED,
                };
                return Err(ModelError::Open { retry_after });
            }
        }
        self.tally.sent();
        Ok(Ticket {
            call,
            verdict,
            tally: Arc::clone(&self.tally),
            era: self.tally.era(),
            probe: self.state() == CircuitState::HalfOpen,
        })
    }

    /// Reads counters, and waits for nobody.
    pub(super) fn reading(&self) -> CircuitReading {
        let state = self.state();
        let rest = (state == CircuitState::Open).then(|| self.tally.rest(self.open_for));
        self.tally.reading(state, rest)
    }

    fn state(&self) -> CircuitState {
        state(self.breaker.state_sync())
    }
}

// === impl Ticket ===

impl Ticket {
    /// Whether nothing else is let through before this is settled or dropped.
    pub(super) fn is_probe(&self) -> bool {
        self.probe
    }

    /// Tells what the request said about the API.
    pub(super) async fn settle(self, verdict: Verdict) {
        let failed = match verdict {
            Verdict::Served => {
                self.tally.served();
                false
            }
            Verdict::Failed(kind) => {
                self.tally.failed(kind);
                true
            }
            Verdict::Unknown => return,
        };
        // What was sent before the state changed last says nothing about the API as it is now: it
        // must neither close the circuit in place of the probe nor open it against the probe.
        if self.era == self.tally.era() && self.verdict.send(!failed).is_ok() {
            let _told = self.call.await;
        }
    }
}

// === impl Undecided ===

impl Service<Waiting> for Undecided {
    type Response = ();
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<(), Failed>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, waiting: Waiting) -> Self::Future {
        let _gone = waiting.let_through.send(());
        Box::pin(async move {
            match waiting.verdict.await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Failed),
                // The ticket is being dropped, and this with it.
                Err(_) => pending().await,
            }
        })
    }
}

fn state(state: State) -> CircuitState {
    match state {
        State::Closed => CircuitState::Closed,
        State::HalfOpen => CircuitState::HalfOpen,
        State::Open => CircuitState::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reading::FailureKind;

    const HOUR: Duration = Duration::from_secs(3600);
    const FAILED: Verdict = Verdict::Failed(FailureKind::Unavailable);

    async fn once(circuit: &Circuit, verdict: Verdict) {
        circuit.admit().await.unwrap().settle(verdict).await;
    }

    async fn opened(open_for: Duration) -> Circuit {
        let circuit = Circuit::new("test", 1, open_for);
        once(&circuit, FAILED).await;
        assert_eq!(circuit.reading().state, CircuitState::Open);
        circuit
    }

    async fn shed(circuit: &Circuit) -> Duration {
        let refused = circuit.admit().await.err().unwrap();
        refused.retry_after().unwrap()
    }

    #[tokio::test]
    async fn failures_in_a_row_open_it_and_a_success_between_them_does_not_let_them_add_up() {
        let circuit = Circuit::new("test", 3, HOUR);
        for verdict in [FAILED, FAILED, Verdict::Served, FAILED, FAILED] {
            once(&circuit, verdict).await;
        }
        let reading = circuit.reading();
        assert_eq!(reading.state, CircuitState::Closed);
        assert_eq!(reading.consecutive_failures, 2);
        assert_eq!((reading.opened_since, reading.retry_after), (None, None));
        once(&circuit, FAILED).await;
        let reading = circuit.reading();
        assert_eq!(reading.state, CircuitState::Open);
        assert_eq!(reading.consecutive_failures, 3);
        assert_eq!((reading.opened_total, reading.calls_total), (1, 6));
        assert_eq!(reading.failures.of(FailureKind::Unavailable), 5);
        assert_eq!(reading.failures_total, 5);
        assert!(reading.opened_since.unwrap() < HOUR);
        let retry_after = shed(&circuit).await;
        assert!(retry_after > HOUR / 2 && retry_after < 2 * HOUR);
        assert_eq!(circuit.reading().shed_total, 1);
        assert_eq!(circuit.reading().calls_total, 6);
    }

    #[tokio::test]
    async fn what_says_nothing_neither_opens_nor_resets_it() {
        let circuit = Circuit::new("test", 2, HOUR);
        once(&circuit, FAILED).await;
        once(&circuit, Verdict::Unknown).await;
        drop(circuit.admit().await.unwrap());
        assert_eq!(circuit.reading().consecutive_failures, 1);
        once(&circuit, FAILED).await;
        assert_eq!(circuit.reading().state, CircuitState::Open);
    }

    #[tokio::test]
    async fn after_the_rest_that_was_told_a_probe_is_let_through() {
        let circuit = opened(Duration::from_millis(30)).await;
        let retry_after = shed(&circuit).await;
        tokio::time::sleep(retry_after).await;
        assert_eq!(circuit.reading().retry_after, Some(Duration::ZERO));
        once(&circuit, Verdict::Served).await;
        let reading = circuit.reading();
        assert_eq!(reading.state, CircuitState::Closed);
        assert_eq!(
            (reading.opened_since, reading.consecutive_failures),
            (None, 0)
        );
    }

    #[tokio::test]
    async fn one_probe_is_let_through_at_a_time() {
        let circuit = opened(Duration::ZERO).await;
        let probe = circuit.admit().await.unwrap();
        assert!(probe.is_probe());
        assert_eq!(circuit.reading().state, CircuitState::HalfOpen);
        for _ in 0..3 {
            assert_eq!(shed(&circuit).await, WHILE_PROBED);
        }
        probe.settle(Verdict::Served).await;
        let (one, other) = (circuit.admit().await, circuit.admit().await);
        assert!(!one.unwrap().is_probe() && !other.unwrap().is_probe());
    }

    #[tokio::test]
    async fn a_probe_that_fails_opens_it_again_and_it_was_open_all_the_time() {
        let circuit = opened(Duration::ZERO).await;
        once(&circuit, FAILED).await;
        let reading = circuit.reading();
        assert_eq!(reading.state, CircuitState::Open);
        assert_eq!((reading.opened_total, reading.consecutive_failures), (1, 2));
        assert!(reading.opened_since.is_some());
    }

    #[tokio::test]
    async fn a_dropped_probe_leaves_its_place_to_the_next() {
        let circuit = opened(Duration::ZERO).await;
        for _ in 0..3 {
            drop(circuit.admit().await.unwrap());
        }
        let probe = circuit.admit().await.unwrap();
        probe.settle(Verdict::Unknown).await;
        once(&circuit, Verdict::Served).await;
        assert_eq!(circuit.reading().state, CircuitState::Closed);
    }

    #[tokio::test]
    async fn what_was_sent_before_it_opened_does_not_decide_in_place_of_the_probe() {
        for late in [Verdict::Served, FAILED] {
            let circuit = Circuit::new("test", 1, Duration::ZERO);
            let early = circuit.admit().await.unwrap();
            once(&circuit, FAILED).await;
            let probe = circuit.admit().await.unwrap();
            early.settle(late).await;
            assert_eq!(circuit.reading().state, CircuitState::HalfOpen);
            probe.settle(Verdict::Served).await;
            assert_eq!(circuit.reading().state, CircuitState::Closed);
        }
    }
}
