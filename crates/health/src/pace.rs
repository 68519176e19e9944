//! How often a check is asked in the background, and how long its answer is good for.

use std::time::Duration;

use tokio::time::Instant;
use tria_check::{CheckMeta, CheckReport, Outcome, Retry};

/// How often a failing check is asked, where its cost class allows it.
pub(crate) const FAILING_PERIOD: Duration = Duration::from_secs(1);

/// How many periods (plus a timeout) may pass before an answer counts as stale: two missed
/// refreshes, and half a period for the jitter.
const STALE_PERIODS: f64 = 2.5;

/// The pause between a failure that took longer than the failing period, and the next question.
const BREATH: Duration = Duration::from_millis(100);

/// When to ask next. After a failure that counts from when its question was asked: what was
/// silent for long has been waited for already.
pub(crate) fn due(meta: &CheckMeta, last: &CheckReport) -> Instant {
    let pause = jittered(meta, &last.outcome);
    let asked_for_time = matches!(last.outcome.retry(), Retry::Transient(Some(_)));
    if last.outcome.is_failure() && !asked_for_time {
        return last.finished + pause.saturating_sub(last.duration).max(BREATH);
    }
    last.finished + pause
}

/// The time from an answer to the next question: the effective period, or about a second after a
/// failure, but never less than what the check's cost class demands.
///
/// A dependency that asked to be left alone is, for at most two effective periods: a recovery
/// must be noticed even when it asked for an hour.
pub(crate) fn interval(meta: &CheckMeta, last: &Outcome) -> Duration {
    let period = meta.effective_period();
    if !last.is_failure() {
        return period;
    }
    let asked_for = match last.retry() {
        Retry::Transient(Some(after)) => after.min(period * 2),
        Retry::Transient(None) | Retry::Permanent => Duration::ZERO,
    };
    FAILING_PERIOD
        .min(period)
        .max(meta.get_cost().min_period())
        .max(asked_for)
}

/// `interval` with a jitter of ±20 %, so that replicas do not ask in step. What the cost class
/// demands still holds, and so does the time that a dependency asked for: there the jitter only
/// lengthens.
fn jittered(meta: &CheckMeta, last: &Outcome) -> Duration {
    let interval = interval(meta, last);
    let floor = match last.retry() {
        Retry::Transient(Some(_)) if last.is_failure() => interval,
        _ => meta.get_cost().min_period(),
    };
    let shortest = interval.mul_f64(0.8).max(floor);
    let longest = interval.mul_f64(1.2);
    shortest + longest.saturating_sub(shortest).mul_f64(fastrand::f64())
}

/// How old the answer `last` may become before it proves nothing any more. A failure expires
/// sooner than a pass, because it is asked again sooner.
pub(crate) fn good_for(meta: &CheckMeta, last: &Outcome) -> Duration {
    interval(meta, last).mul_f64(STALE_PERIODS) + meta.get_timeout()
}

#[cfg(test)]
mod tests {
    use tria_check::{Code, Cost, Finding};

    use super::*;

    const BROKEN: Code = Code::new("broken");

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn failure(retry_after: Option<Duration>) -> Outcome {
        Finding::fail(BROKEN, "broken")
            .transient(retry_after)
            .into()
    }

    #[test]
    fn a_failing_check_is_asked_sooner_but_never_sooner_than_its_cost_allows() {
        let pass = Outcome::from(Finding::pass("fine"));
        let warn = Outcome::from(Finding::warn(BROKEN, "look"));
        let permanent = Outcome::from(Finding::fail(BROKEN, "no"));
        let (network, metered) = (Cost::Network, Cost::Metered);
        let table = [
            (network, secs(5), &pass, secs(5)),
            (network, secs(5), &warn, secs(5)),
            (network, secs(5), &failure(None), secs(1)),
            (network, secs(5), &permanent, secs(1)),
            (network, secs(5), &failure(Some(secs(7))), secs(7)),
            (network, secs(5), &failure(Some(secs(3600))), secs(10)),
            (network, Duration::ZERO, &pass, secs(1)),
            (metered, secs(5), &pass, secs(60)),
            (metered, secs(5), &failure(None), secs(60)),
            (metered, secs(300), &failure(None), secs(60)),
            (metered, secs(5), &failure(Some(secs(90))), secs(90)),
            (Cost::Local, secs(5), &failure(None), secs(1)),
            (
                Cost::Local,
                Duration::from_millis(200),
                &failure(None),
                Duration::from_millis(200),
            ),
        ];
        for (cost, period, last, expected) in table {
            let meta = CheckMeta::new("it").cost(cost).period(period);
            assert_eq!(
                interval(&meta, last),
                expected,
                "{cost:?} {period:?} {last:?}"
            );
        }
    }

    #[test]
    fn the_jitter_spreads_within_a_fifth_and_keeps_the_cost_classs_floor() {
        let pass = Outcome::from(Finding::pass("fine"));
        let table = [
            (Cost::Network, &pass, 4.0, 6.0),
            (Cost::Network, &failure(None), 1.0, 1.2),
            (Cost::Network, &failure(Some(secs(7))), 7.0, 8.4),
            (Cost::Metered, &pass, 60.0, 72.0),
            (Cost::Metered, &failure(None), 60.0, 72.0),
        ];
        for (cost, last, shortest, longest) in table {
            let meta = CheckMeta::new("it").cost(cost);
            let drawn: Vec<f64> = (0..500)
                .map(|_| jittered(&meta, last).as_secs_f64())
                .collect();
            let least = drawn.iter().copied().fold(f64::INFINITY, f64::min);
            let most = drawn.iter().copied().fold(0.0, f64::max);
            assert!(
                least >= shortest && most <= longest + 1e-6,
                "{cost:?}: {least} to {most}"
            );
            // A clamp instead of a narrower draw would pile everybody up at the floor.
            let width = longest - shortest;
            assert!(least > shortest && least < shortest + 0.1 * width);
            assert!(most > longest - 0.1 * width, "{cost:?}: {least} to {most}");
        }
    }

    #[test]
    fn a_failure_expires_sooner_than_a_pass() {
        let meta = CheckMeta::new("it").timeout(secs(2));
        let pass = Outcome::from(Finding::pass("fine"));
        assert_eq!(good_for(&meta, &pass), Duration::from_millis(14_500));
        assert_eq!(
            good_for(&meta, &failure(None)),
            Duration::from_millis(4_500)
        );
    }
}
