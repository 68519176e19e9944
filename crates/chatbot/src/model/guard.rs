//! What stands around each request: the circuit, the time, and another try.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    ModelError,
    circuit::{Circuit, Ticket},
    error::Verdict,
    reading::FailureKind,
};
use crate::{Budget, OutOfTime};

/// Within which the first repetition comes at a time left to chance, where the API does not say
/// when; doubled for each further one.
const WINDOW: Duration = Duration::from_millis(250);

/// One request, if the circuit lets it through, within `limit` and the budget. The ticket is for
/// the caller to settle, since what was begun well need not end so.
pub(super) async fn attempt<T>(
    circuit: &Circuit,
    limit: Duration,
    budget: Budget,
    work: impl Future<Output = Result<T, ModelError>>,
) -> Result<(T, Ticket), ModelError> {
    if budget.left().is_zero() {
        return Err(ModelError::OutOfTime(OutOfTime::Budget));
    }
    let ticket = circuit.admit().await?;
    match timed(limit, budget, work).await {
        Ok(value) => Ok((value, ticket)),
        Err((error, verdict)) => {
            ticket.settle(verdict).await;
            Err(error)
        }
    }
}

/// Work within `limit` and the budget; with an error, what that says about the API.
pub(super) async fn timed<T>(
    limit: Duration,
    budget: Budget,
    work: impl Future<Output = Result<T, ModelError>>,
) -> Result<T, (ModelError, Verdict)> {
    let begun = Instant::now();
    let which = match budget.within(limit, work).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => {
            let verdict = error.verdict();
            return Err((error, verdict));
        }
        Err(which) => which,
    };
    let error = ModelError::OutOfTime(which);
    // A budget that ends soon says nothing about the API. But where all budgets are shorter than
    // the limit, an API that hangs would never be told from one that works.
    let verdict = if which == OutOfTime::Limit || begun.elapsed() >= limit / 2 {
        Verdict::Failed(FailureKind::TimedOut)
    } else {
        error.verdict()
    };
    Err((error, verdict))
}

/// Tries again, at most `most` times, where that is safe and can be done within the budget. Where
/// the API wants to be left alone for longer than that, its error is returned at once.
pub(super) async fn repeated<T, F>(
    most: u32,
    budget: Budget,
    mut attempt: impl FnMut() -> F,
) -> Result<T, ModelError>
where
    F: Future<Output = Result<T, ModelError>>,
{
    let mut error = match attempt().await {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    for again in 0..most {
        let pause = pause(error.retry_after(), again);
        if !error.is_safe_to_repeat() || pause >= budget.left() {
            break;
        }
        sleep(pause).await;
        match attempt().await {
            Ok(value) => return Ok(value),
            // It opened meanwhile; why it did is worth more.
            Err(ModelError::Open { .. }) => break,
            Err(other) => error = other,
        }
    }
    Err(error)
}

/// Full jitter: what failed together must not come again together. As long as asked for at least.
fn pause(asked: Option<Duration>, again: u32) -> Duration {
    let window = WINDOW.saturating_mul(2_u32.saturating_pow(again));
    asked
        .unwrap_or_default()
        .saturating_add(window.mul_f64(fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::pending};

    use super::*;
    use crate::model::reading::CircuitState;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    fn busy(retry_after: Option<Duration>) -> ModelError {
        ModelError::Busy { retry_after }
    }

    fn unavailable() -> ModelError {
        ModelError::Unavailable {
            retry_after: None,
            cause: None,
        }
    }

    /// Plays the script, and tells the end and when each attempt came.
    async fn play(
        script: Vec<Result<u8, ModelError>>,
        budget: Budget,
    ) -> (Result<u8, ModelError>, Vec<Duration>) {
        let (begun, times) = (Instant::now(), RefCell::new(Vec::new()));
        let script = RefCell::new(script.into_iter());
        let ended = repeated(2, budget, || {
            times.borrow_mut().push(begun.elapsed());
            let next = script.borrow_mut().next();
            async move { next.expect("no further attempt") }
        });
        let ended = ended.await;
        (ended, times.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_repeated_is_twice_at_most_and_soon() {
        for _ in 0..100 {
            let script = vec![Err(unavailable()), Err(busy(None)), Ok(7)];
            let (ended, times) = play(script, Budget::of(MINUTE)).await;
            assert_eq!(ended.unwrap(), 7);
            assert!(
                times[1] <= WINDOW && times[2] <= times[1] + 2 * WINDOW,
                "{times:?}"
            );
            let script = vec![Err(busy(None)), Err(busy(None)), Err(unavailable()), Ok(7)];
            let (ended, times) = play(script, Budget::of(MINUTE)).await;
            assert!(matches!(ended, Err(ModelError::Unavailable { .. })));
            assert_eq!(times.len(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn repetitions_are_spread_over_their_window() {
        let mut pauses: Vec<_> = (0..200).map(|_| pause(None, 0)).collect();
        pauses.sort();
        assert!(pauses[0] < WINDOW / 4 && pauses[199] > WINDOW * 3 / 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_fail_again_is_not_repeated() {
        for error in [
            ModelError::Open {
                retry_after: Duration::ZERO,
            },
            ModelError::OutOfTime(OutOfTime::Limit),
            ModelError::Quota,
            ModelError::Refused { status: 400 },
            ModelError::Cut(None),
            ModelError::Withheld,
            ModelError::Malformed,
            ModelError::Misfit,
        ] {
            let (ended, times) = play(vec![Err(error)], Budget::of(MINUTE)).await;
            assert!(ended.is_err());
            assert_eq!(times.len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_was_asked_for_is_kept() {
        let script = vec![Err(busy(Some(3 * SECOND))), Ok(7)];
        let (ended, times) = play(script, Budget::of(MINUTE)).await;
        assert_eq!(ended.unwrap(), 7);
        assert!(
            times[1] >= 3 * SECOND && times[1] <= 3 * SECOND + WINDOW,
            "{times:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_budget_is_not_begun() {
        let begun = Instant::now();
        let script = vec![Err(busy(Some(3 * SECOND)))];
        let (ended, _) = play(script, Budget::of(3 * SECOND)).await;
        assert_eq!(ended.unwrap_err().retry_after(), Some(3 * SECOND));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_opened_meanwhile_does_not_hide_why() {
        let retry_after = SECOND;
        let script = vec![Err(unavailable()), Err(ModelError::Open { retry_after })];
        let (ended, _) = play(script, Budget::of(MINUTE)).await;
        assert!(matches!(ended, Err(ModelError::Unavailable { .. })));
    }

    /// Hangs under a circuit that one failure opens, and tells its state then.
    async fn hang(limit: Duration, budget: Duration) -> (ModelError, CircuitState) {
        let circuit = Circuit::new("test", 1, MINUTE);
        let work = pending::<Result<(), ModelError>>();
        let ended = attempt(&circuit, limit, Budget::of(budget), work).await;
        (ended.err().unwrap(), circuit.reading().state)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_too_long_counts_and_one_that_was_given_little_time_does_not() {
        for (limit, budget, which, state) in [
            (SECOND, MINUTE, OutOfTime::Limit, CircuitState::Open),
            (SECOND, SECOND / 4, OutOfTime::Budget, CircuitState::Closed),
            (SECOND, SECOND / 2, OutOfTime::Budget, CircuitState::Open),
            (
                SECOND,
                Duration::ZERO,
                OutOfTime::Budget,
                CircuitState::Closed,
            ),
        ] {
            let begun = Instant::now();
            let (error, found) = hang(limit, budget).await;
            assert!(
                matches!(error, ModelError::OutOfTime(found) if found == which),
                "{error:?}"
            );
            assert_eq!(found, state, "{budget:?}");
            assert_eq!(begun.elapsed(), limit.min(budget));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn with_nothing_left_no_request_is_counted() {
        let circuit = Circuit::new("test", 1, MINUTE);
        let budget = Budget::of(Duration::ZERO);
        let work = pending::<Result<(), ModelError>>();
        assert!(attempt(&circuit, SECOND, budget, work).await.is_err());
        assert_eq!(circuit.reading().calls_total, 0);
    }
}
