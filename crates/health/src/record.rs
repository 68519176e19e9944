//! What is remembered of one check, and when its verdict turns.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tria_check::{CheckMeta, CheckReport, Code, Status};

use crate::{History, StateChange, Turn, pace};

/// How many results in a row it takes until a check's verdict turns. Any opposite result starts
/// the count anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Failures in a row until a check that passed counts as failed (3). A failure that took
    /// longer than a failing check's period, about a second, counts as one for each such period
    /// that it took, but never alone as all that are needed: a dependency that is silent is told
    /// about as soon as one that refuses.
    pub failures: u32,
    /// Successes in a row until a check that failed counts as recovered (1).
    pub successes: u32,
}

/// What is remembered of one check; immutable, replaced as a whole.
#[derive(Debug)]
pub(crate) struct Record {
    /// The result that counts. Within the thresholds it is older than `latest`.
    pub(crate) shown: Arc<CheckReport>,
    /// The last result.
    pub(crate) latest: Arc<CheckReport>,
    /// The results so far, `latest` among them.
    pub(crate) history: History,
    /// How many results in a row agree with `latest`, failures that took long counted as several.
    streak: u32,
}

// === impl Thresholds ===

impl Thresholds {
    /// What one result counts.
    fn weight(self, report: &CheckReport) -> u32 {
        if !report.outcome.is_failure() {
            return 1;
        }
        let periods = report.duration.as_millis() / pace::FAILING_PERIOD.as_millis();
        let most = self.failures.saturating_sub(1).max(1);
        u32::try_from(periods).unwrap_or(most).clamp(1, most)
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            failures: 3,
            successes: 1,
        }
    }
}

// === impl Record ===

impl Record {
    /// The record after one more result. `None` when `report` is not news: an older run, or the
    /// run that is the latest already (two callers of one flight both hand it in).
    pub(crate) fn after(
        previous: Option<&Self>,
        report: &Arc<CheckReport>,
        meta: &CheckMeta,
        thresholds: Thresholds,
    ) -> Option<(Self, Option<StateChange>)> {
        let Some(previous) = previous else {
            // Nothing is known that could be held against a first result.
            let first = Self {
                shown: Arc::clone(report),
                latest: Arc::clone(report),
                history: History::default().with(report),
                streak: thresholds.weight(report),
            };
            let change = first.change_from(None);
            return Some((first, change));
        };
        if !is_news(&previous.latest, report) {
            return None;
        }
        let failing = report.outcome.is_failure();
        let agrees = previous.latest.outcome.is_failure() == failing;
        let before = if agrees { previous.streak } else { 0 };
        let streak = before.saturating_add(thresholds.weight(report));
        let needed = if failing {
            thresholds.failures
        } else {
            thresholds.successes
        };
        let was_failing = previous.shown.outcome.is_failure();
        // A pass that had become stale counted as unknown; a failure must not revive it.
        let unproven = failing && previous.is_stale(meta, report.finished);
        let decides = failing == was_failing || streak >= needed || unproven;
        let next = Self {
            shown: Arc::clone(if decides { report } else { &previous.shown }),
            latest: Arc::clone(report),
            history: previous.history.with(report),
            streak,
        };
        let change = next.change_from(Some(verdict(&previous.shown)));
        Some((next, change))
    }

    /// Whether at `now` nothing has been heard for so long that the record proves nothing.
    pub(crate) fn is_stale(&self, meta: &CheckMeta, now: Instant) -> bool {
        now > self.fresh_until(meta)
    }

    /// Until when the record proves something.
    pub(crate) fn fresh_until(&self, meta: &CheckMeta) -> Instant {
        let far = Duration::from_secs(365 * 24 * 3600);
        let good_for = pace::good_for(meta, &self.latest.outcome).min(far);
        self.latest.finished + good_for
    }

    fn change_from(&self, before: Option<(Status, Code)>) -> Option<StateChange> {
        let turn = Turn::between(before, verdict(&self.shown))?;
        Some(StateChange {
            before,
            report: Arc::clone(&self.shown),
            turn,
        })
    }
}

fn verdict(report: &CheckReport) -> (Status, Code) {
    (report.outcome.status(), report.outcome.code())
}

fn is_news(latest: &CheckReport, report: &CheckReport) -> bool {
    let run = |report: &CheckReport| (report.finished, report.started_at);
    report.finished >= latest.finished && run(report) != run(latest)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use tria_check::{Code, Criticality, Finding};

    use super::*;

    fn meta() -> CheckMeta {
        CheckMeta::new("it").timeout(Duration::from_secs(2))
    }

    fn report(begun: Instant, second: u32, letter: char) -> Arc<CheckReport> {
        let code = Code::new("broken");
        let finding = match letter {
            '+' => Finding::pass("fine"),
            'w' => Finding::warn(code, "look"),
            '-' => Finding::fail(code, "broken"),
            '?' => Finding::unknown(code, "cannot tell"),
            other => panic!("{other}"),
        };
        let after = Duration::from_secs(second.into());
        Arc::new(CheckReport {
            name: "it".to_owned(),
            criticality: Criticality::Critical,
            outcome: finding.into(),
            started_at: SystemTime::UNIX_EPOCH + after,
            finished: begun + after,
            duration: Duration::ZERO,
            attempts: 1,
        })
    }

    /// Feeds results a second apart, and writes down what is shown after each.
    fn shown(results: &str, thresholds: Thresholds) -> String {
        let begun = Instant::now();
        let (mut record, mut shown) = (None, String::new());
        for (second, letter) in (0..).zip(results.chars()) {
            let report = report(begun, second, letter);
            let (next, _) = Record::after(record.as_ref(), &report, &meta(), thresholds).unwrap();
            shown.push(if next.shown.outcome.is_failure() {
                '-'
            } else {
                '+'
            });
            record = Some(next);
        }
        shown
    }

    /// dropwizard `State`: a success in between did not reset "consecutive" failures.
    #[test]
    fn only_results_in_a_row_turn_a_verdict() {
        let usual = Thresholds::default();
        let table = [
            ("+--", "+++"),
            ("+---", "+++-"),
            ("+--+--+--", "+++++++++"),
            ("+--+---", "++++++-"),
            ("+--w--w---", "+++++++++-"),
            ("+-?-", "+++-"),
            ("+---+", "+++-+"),
            ("+---+--", "+++-+++"),
            // A first result decides at once: nothing speaks for health.
            ("-", "-"),
            ("?+", "-+"),
            ("-+-", "-++"),
        ];
        for (results, expected) in table {
            assert_eq!(shown(results, usual), expected, "{results}");
        }
        let slow_recovery = Thresholds {
            failures: 1,
            successes: 2,
        };
        for (results, expected) in [("+-", "+-"), ("-+", "--"), ("-+-++", "----+")] {
            assert_eq!(shown(results, slow_recovery), expected, "{results}");
        }
    }

    #[test]
    fn a_turn_is_told_once() {
        let begun = Instant::now();
        let (mut record, mut turns) = (None, Vec::new());
        for (second, letter) in (0..).zip("+-----++".chars()) {
            let report = report(begun, second, letter);
            let (next, turn) =
                Record::after(record.as_ref(), &report, &meta(), Thresholds::default()).unwrap();
            turns.extend(turn.map(|change| (second, change.turn)));
            record = Some(next);
        }
        assert_eq!(turns, [(3, Turn::Failed), (6, Turn::Recovered)]);
    }

    #[test]
    fn one_run_handed_in_twice_counts_once() {
        let begun = Instant::now();
        let usual = Thresholds::default();
        let pass = report(begun, 5, '+');
        let (record, _) = Record::after(None, &pass, &meta(), usual).unwrap();
        assert!(Record::after(Some(&record), &pass, &meta(), usual).is_none());
        let older = report(begun, 4, '-');
        assert!(Record::after(Some(&record), &older, &meta(), usual).is_none());
        let failure = report(begun, 6, '-');
        let (record, _) = Record::after(Some(&record), &failure, &meta(), usual).unwrap();
        for _ in 0..5 {
            assert!(Record::after(Some(&record), &failure, &meta(), usual).is_none());
        }
        assert!(!record.shown.outcome.is_failure());
    }

    #[test]
    fn a_failure_after_a_silence_does_not_revive_an_old_pass() {
        let begun = Instant::now();
        let usual = Thresholds::default();
        let (record, _) = Record::after(None, &report(begun, 0, '+'), &meta(), usual).unwrap();
        // 2.5 periods of 5 s and a timeout of 2 s: 14.5 s.
        let fresh = report(begun, 14, '-');
        let (next, turn) = Record::after(Some(&record), &fresh, &meta(), usual).unwrap();
        assert!(!next.shown.outcome.is_failure() && turn.is_none());
        let late = report(begun, 15, '-');
        let (next, turn) = Record::after(Some(&record), &late, &meta(), usual).unwrap();
        assert!(next.shown.outcome.is_failure());
        assert_eq!(turn.map(|change| change.turn), Some(Turn::Failed));
    }

    /// After a pass come failures that took so many seconds each.
    fn failures_until_shown(seconds: &[u64]) -> usize {
        let (begun, usual) = (Instant::now(), Thresholds::default());
        let mut record = Record::after(None, &report(begun, 0, '+'), &meta(), usual)
            .unwrap()
            .0;
        for (index, took) in seconds.iter().enumerate() {
            let mut failure = report(begun, u32::try_from(index).unwrap() + 1, '-');
            Arc::make_mut(&mut failure).duration = Duration::from_secs(*took);
            record = Record::after(Some(&record), &failure, &meta(), usual)
                .unwrap()
                .0;
            if record.shown.outcome.is_failure() {
                return index + 1;
            }
        }
        usize::MAX
    }

    #[test]
    fn a_long_silence_counts_as_several_failures_but_never_alone() {
        for (seconds, needed) in [
            (&[0, 0, 0][..], 3),
            (&[1, 1, 1], 3),
            (&[2, 0], 2),
            (&[3, 3], 2),
            (&[0, 5], 2),
            (&[60, 0], 2),
        ] {
            assert_eq!(failures_until_shown(seconds), needed, "{seconds:?}");
        }
    }
}
