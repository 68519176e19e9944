//! How long to wait before asking again.

use std::time::Duration;

/// Exponential back-off with equal jitter: the n-th wait lies between half of
/// `min(max, base · 2ⁿ)` and all of it, and is never shorter than what the dependency asked for.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    base: Duration,
    max: Duration,
}

// === impl Backoff ===

impl Backoff {
    /// A back-off that starts at about `base` and never exceeds `max`.
    pub const fn new(base: Duration, max: Duration) -> Self {
        Self { base, max }
    }

    /// The wait after the failed attempt number `attempt` (the first is 0).
    pub fn delay(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.min(31));
        let ceiling = self.base.saturating_mul(factor).min(self.max);
        let jittered = ceiling.mul_f64(0.5 + fastrand::f64() / 2.0);
        jittered.max(retry_after.unwrap_or_default())
    }
}

impl Default for Backoff {
    /// From 100 ms to 2 s: a dependency that comes up is noticed within two seconds.
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_maximum_and_are_jittered() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for (attempt, ceiling) in [
            (0, 100),
            (1, 200),
            (2, 400),
            (3, 800),
            (4, 1000),
            (63, 1000),
        ] {
            let ceiling = Duration::from_millis(ceiling);
            let waits: Vec<Duration> = (0..200).map(|_| backoff.delay(attempt, None)).collect();
            assert!(
                waits
                    .iter()
                    .all(|wait| *wait >= ceiling / 2 && *wait <= ceiling)
            );
            assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter");
        }
    }

    #[test]
    fn a_dependency_that_asks_for_time_gets_it() {
        let asked = Duration::from_secs(30);
        assert_eq!(Backoff::default().delay(0, Some(asked)), asked);
    }
}
