//! What a check has answered so far.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use tria_check::{CheckReport, Code, Status};

/// How many results are kept of each check: at the usual pace the last five minutes.
pub(crate) const LENGTH: usize = 60;

/// The last results of a check, and what stays when they are gone.
#[derive(Clone, Debug, Default)]
pub struct History {
    results: VecDeque<PastResult>,
    runs: u64,
    consecutive_failures: u32,
    last_success: Option<SystemTime>,
    last_failure: Option<SystemTime>,
}

/// One result of the past.
#[derive(Clone, Copy, Debug)]
pub struct PastResult {
    /// When the run began, by the wall clock.
    pub at: SystemTime,
    /// Its verdict.
    pub status: Status,
    /// The code of its decisive finding.
    pub code: Code,
    /// How long it took.
    pub duration: Duration,
}

// === impl History ===

impl History {
    /// This history and one more result.
    pub(crate) fn with(&self, report: &CheckReport) -> Self {
        let mut next = self.clone();
        if next.results.len() == LENGTH {
            next.results.pop_front();
        }
        next.results.push_back(PastResult {
            at: report.started_at,
            status: report.outcome.status(),
            code: report.outcome.code(),
            duration: report.duration,
        });
        next.runs += 1;
        if report.outcome.is_failure() {
            next.consecutive_failures += 1;
            next.last_failure = Some(report.started_at);
        } else {
            next.consecutive_failures = 0;
            next.last_success = Some(report.started_at);
        }
        next
    }

    /// The last results, the oldest first; at most 60.
    pub fn results(&self) -> impl ExactSizeIterator<Item = &PastResult> {
        self.results.iter()
    }

    /// How many results there were since the process began.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many results in a row have failed, up to the last; 0 when the last has not.
    pub fn consecutive_failures(&self) -> u32 {
        self.consecutive_failures
    }

    /// When the last run began that did not fail.
    pub fn last_success(&self) -> Option<SystemTime> {
        self.last_success
    }

    /// When the last run began that failed.
    pub fn last_failure(&self) -> Option<SystemTime> {
        self.last_failure
    }

    /// The duration that `share` (0 to 1) of the kept results did not exceed, by the nearest
    /// rank; `None` when there is none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank among at most 60"
    )]
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let mut durations: Vec<_> = self.results.iter().map(|result| result.duration).collect();
        durations.sort_unstable();
        let rank = (share.clamp(0.0, 1.0) * durations.len() as f64).ceil() as usize;
        durations.get(rank.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tria_check::{Criticality, Finding};

    use super::*;

    fn report(second: u64, failing: bool) -> CheckReport {
        let code = Code::new("broken");
        let finding = if failing {
            Finding::fail(code, "broken")
        } else {
            Finding::pass("fine")
        };
        CheckReport {
            name: "it".to_owned(),
            criticality: Criticality::Critical,
            outcome: finding.into(),
            started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
            finished: Instant::now(),
            duration: Duration::from_millis(second),
            attempts: 1,
        }
    }

    #[test]
    fn the_last_sixty_results_are_kept_and_all_are_counted() {
        let history = (1..=100).fold(History::default(), |history, second| {
            history.with(&report(second, second > 98))
        });
        let at = |second| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        assert_eq!(history.results().len(), 60);
        assert_eq!(history.results().next().map(|result| result.at), at(41));
        assert_eq!((history.runs(), history.consecutive_failures()), (100, 2));
        assert_eq!(
            (history.last_success(), history.last_failure()),
            (at(98), at(100))
        );
        // Of 41 to 100 ms.
        assert_eq!(history.percentile(0.5), Some(Duration::from_millis(70)));
        assert_eq!(history.percentile(0.99), Some(Duration::from_millis(100)));
        assert_eq!(history.percentile(0.0), Some(Duration::from_millis(41)));
    }

    /// dropwizard `State`: a success in between did not reset "consecutive" failures.
    #[test]
    fn any_success_ends_the_row_of_failures() {
        let history = [true, true, false, true]
            .into_iter()
            .zip(1..)
            .fold(History::default(), |history, (failing, second)| {
                history.with(&report(second, failing))
            });
        assert_eq!(history.consecutive_failures(), 1);
        assert_eq!(History::default().percentile(0.5), None);
    }
}
