//! Verdicts and times in words.

use std::time::{Duration, SystemTime};

use tria_check::{Health, Phase, Status};

use crate::PhaseState;

/// How bad it is. Never told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warning,
    Bad,
    /// Not known, or not at stake.
    Quiet,
}

/// What is to be said of the whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tone: Tone,
    pub(super) word: &'static str,
    pub(super) says: String,
}

// === impl Tone ===

impl Tone {
    pub(super) fn of(status: Status) -> Self {
        match status {
            Status::Pass => Self::Good,
            Status::Warn => Self::Warning,
            Status::Fail => Self::Bad,
            Status::Unknown => Self::Quiet,
        }
    }

    pub(super) fn of_phase(state: PhaseState) -> Self {
        match state {
            PhaseState::Passed => Self::Good,
            PhaseState::Warned => Self::Warning,
            PhaseState::Failed => Self::Bad,
            PhaseState::Pending | PhaseState::Running => Self::Quiet,
        }
    }

    /// Its name in the style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }

    /// A sign that differs in its shape, too.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Good => "\u{2713}",
            Self::Warning => "!",
            Self::Bad => "\u{2717}",
            Self::Quiet => "?",
        }
    }
}

// === impl Verdict ===

impl Verdict {
    /// The verdict in this phase. `health` is that of the checks, `causes` are the services that
    /// keep it from being better, and `stuck` the tasks of the process that are overdue.
    pub(super) fn of(phase: Phase, health: Health, causes: &[&str], stuck: &[&str]) -> Self {
        if !stuck.is_empty() && !phase.is_ending() {
            let tasks = stuck.join(", ");
            let says = format!("Not heard of in time: {tasks}. Let the process be restarted.");
            return Self {
                tone: Tone::Bad,
                word: "Stuck",
                says,
            };
        }
        let causes = causes.join(", ");
        let (tone, word, says) = match (phase, health) {
            (Phase::Ready, Health::Healthy) => {
                (Tone::Good, "Healthy", "Everything works.".to_owned())
            }
            (Phase::Ready, Health::Degraded) => {
                let says = format!("It serves, but look at: {causes}.");
                (Tone::Warning, "Degraded", says)
            }
            (Phase::Ready, Health::Unhealthy) => {
                let says = format!("It must not get traffic because of: {causes}.");
                (Tone::Bad, "Unhealthy", says)
            }
            (Phase::Starting, _) => {
                let says = "It gets no traffic until the start is complete.";
                (Tone::Quiet, "Starting", says.to_owned())
            }
            (Phase::Draining | Phase::Stopping, _) => {
                let says = "Requests under way are finished, new ones go elsewhere.";
                (Tone::Quiet, "Stopping", says.to_owned())
            }
            (Phase::RollingBack, _) => {
                let says = "The start failed or was interrupted, and is taken back.";
                (Tone::Bad, "Not started", says.to_owned())
            }
            (Phase::Failed(_), _) => (Tone::Bad, "Not started", "The start failed.".to_owned()),
            (Phase::Stopped(_), _) => (Tone::Quiet, "Stopped", "It has stopped.".to_owned()),
        };
        Self { tone, word, says }
    }
}

/// How a service stands.
pub(super) fn of_service(status: Status) -> &'static str {
    match status {
        Status::Pass => "works",
        Status::Warn => "works, but look",
        Status::Fail => "fails",
        Status::Unknown => "not known",
    }
}

/// How a phase of the start stands.
pub(super) fn of_phase(state: PhaseState) -> &'static str {
    match state {
        PhaseState::Pending => "waits",
        PhaseState::Running => "under way",
        PhaseState::Passed => "proven",
        PhaseState::Warned => "proven, but look",
        PhaseState::Failed => "failed",
    }
}

/// A time in its two greatest units, as in `2 d 4 h`; less than a second is `0 s`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// How long ago a point in time is, as in `4 s ago`. The clock may have been set back since.
pub(super) fn ago(at: SystemTime, now: SystemTime) -> String {
    let passed = now.duration_since(at).unwrap_or_default();
    format!("{} ago", span(passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_two_greatest_units() {
        let table = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3599, "59 min 59 s"),
            (3600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d 0 h"),
            (1_000_000, "11 d 13 h"),
        ];
        for (seconds, expected) in table {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_time_in_the_future() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(ago(at(6), now), "4 s ago");
        assert_eq!(ago(at(60), now), "0 s ago");
    }
}
