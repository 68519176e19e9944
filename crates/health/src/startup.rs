//! How far a start has come.

use std::{borrow::Cow, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::time::Instant;
use tria_check::PublicText;

/// The phases of a start and what each has proven, told by whoever runs the start and read by
/// the startup probe without a lock. Clones share one progress.
///
/// ```
/// use tria_check::PublicText;
/// use tria_health::{PhaseState, StartupProgress};
///
/// let progress = StartupProgress::new([(1, "Environment"), (2, "Database")]);
/// progress.begin(1);
/// progress.line(1, PublicText::new("Environment validation passed"));
/// progress.end(1, PhaseState::Passed);
/// assert_eq!(progress.phases()[1].state, PhaseState::Pending);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StartupProgress {
    phases: Arc<ArcSwap<Vec<StartupPhase>>>,
}

/// One phase of a start.
#[derive(Clone, Debug)]
pub struct StartupPhase {
    /// Its number; phases are shown in the order in which they were given.
    pub number: usize,
    /// Its title, as in `Database Initialization`.
    pub title: Cow<'static, str>,
    /// How it stands.
    pub state: PhaseState,
    /// What was proven or went wrong, in words that anyone may read.
    pub lines: Vec<PublicText>,
    begun: Option<Instant>,
    took: Option<Duration>,
}

/// How a phase of a start stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// It has not begun.
    Pending,
    /// It is under way.
    Running,
    /// It proved what it had to.
    Passed,
    /// It passed, but somebody should look.
    Warned,
    /// It failed.
    Failed,
}

// === impl StartupProgress ===

impl StartupProgress {
    /// A start whose phases, given as number and title in their order, are all pending.
    pub fn new<T: Into<Cow<'static, str>>>(phases: impl IntoIterator<Item = (usize, T)>) -> Self {
        let phases = phases
            .into_iter()
            .map(|(number, title)| StartupPhase::new(number, title.into()))
            .collect::<Vec<_>>();
        Self {
            phases: Arc::new(ArcSwap::from_pointee(phases)),
        }
    }

    /// The phase begins.
    pub fn begin(&self, number: usize) {
        self.change(number, |phase| {
            phase.state = PhaseState::Running;
            phase.begun = Some(Instant::now());
            phase.took = None;
        });
    }

    /// Adds a line to the phase.
    pub fn line(&self, number: usize, line: impl Into<PublicText>) {
        let line = line.into();
        self.change(number, |phase| phase.lines.push(line.clone()));
    }

    /// The phase comes to stand at `state`; its time stops unless that is
    /// [`PhaseState::Running`].
    pub fn end(&self, number: usize, state: PhaseState) {
        self.change(number, |phase| {
            phase.took = match state {
                PhaseState::Running => None,
                _ => phase.elapsed(),
            };
            phase.state = state;
        });
    }

    /// The phases as they stand, in order.
    pub fn phases(&self) -> Arc<Vec<StartupPhase>> {
        self.phases.load_full()
    }

    /// How long the phases have taken together, from the first begin to the last end, or until
    /// now where one is under way; `None` when none has begun.
    pub fn elapsed(&self) -> Option<Duration> {
        let phases = self.phases();
        let begun = phases.iter().filter_map(|phase| phase.begun).min()?;
        let ended = phases.iter().filter_map(StartupPhase::heard_of).max()?;
        Some(ended.saturating_duration_since(begun))
    }

    /// A number that is no phase's changes nothing: a probe's progress bar must not be able to
    /// stop a start.
    fn change(&self, number: usize, change: impl Fn(&mut StartupPhase)) {
        self.phases.rcu(|phases| {
            let mut phases = Vec::clone(phases);
            phases
                .iter_mut()
                .filter(|phase| phase.number == number)
                .for_each(&change);
            phases
        });
    }
}

// === impl StartupPhase ===

impl StartupPhase {
    fn new(number: usize, title: Cow<'static, str>) -> Self {
        Self {
            number,
            title,
            state: PhaseState::Pending,
            lines: Vec::new(),
            begun: None,
            took: None,
        }
    }

    /// How long it took, or has been taking; `None` when it has not begun.
    pub fn elapsed(&self) -> Option<Duration> {
        self.took
            .or_else(|| self.begun.map(|begun| begun.elapsed()))
    }

    /// When it ended, or now where it is under way.
    fn heard_of(&self) -> Option<Instant> {
        self.begun.map(|begun| match self.took {
            Some(took) => begun + took,
            None => Instant::now(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_phases_time_runs_until_it_ends() {
        let second = Duration::from_secs(1);
        let progress = StartupProgress::new([(1, "a"), (2, "b")]);
        let told = |index: usize| {
            let phases = progress.phases();
            (phases[index].state, phases[index].elapsed())
        };
        assert_eq!(told(0), (PhaseState::Pending, None));
        progress.begin(1);
        tokio::time::advance(second).await;
        assert_eq!(told(0), (PhaseState::Running, Some(second)));
        progress.end(1, PhaseState::Warned);
        tokio::time::advance(second).await;
        assert_eq!(told(0), (PhaseState::Warned, Some(second)));
        assert_eq!(told(1), (PhaseState::Pending, None));
    }

    #[test]
    fn no_line_is_lost_when_phases_report_at_once() {
        let progress = StartupProgress::new([(1, "a"), (2, "b"), (3, "c"), (4, "d")]);
        std::thread::scope(|scope| {
            for number in 1..=4 {
                let progress = progress.clone();
                scope.spawn(move || {
                    for _ in 0..50 {
                        progress.line(number, "one more");
                    }
                });
            }
        });
        progress.line(9, "nobody's");
        let counts: Vec<usize> = progress.phases().iter().map(|p| p.lines.len()).collect();
        assert_eq!(counts, [50; 4]);
    }
}
