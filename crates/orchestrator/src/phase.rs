//! One phase of a start.

use std::time::Duration;

use serde::Serialize;
use tria_check::{CheckReport, Rank, Status};

/// One phase of a start: a title, and the checks that prove it, one after the other.
#[derive(Clone, Debug)]
pub struct Phase {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) checks: Vec<String>,
    pub(crate) keys: Vec<&'static str>,
    pub(crate) configuration: bool,
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// Everything was proven.
    Passed,
    /// It may go on, but something is not as it should be.
    Warned,
    /// Something critical failed.
    Failed,
    /// It was never begun.
    Skipped,
}

/// What a phase came to.
#[derive(Clone, Debug)]
pub struct PhaseReport {
    /// Its place in the order, from 1.
    pub number: usize,
    /// Its name, which is that of its lifecycle hook.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How it ended.
    pub state: PhaseState,
    /// The settings that lead to what it proves.
    pub keys: Vec<&'static str>,
    /// The outcomes of its checks; those behind a failed one were not run.
    pub checks: Vec<CheckReport>,
    /// How long it took.
    pub elapsed: Duration,
}

// === impl Phase ===

impl Phase {
    /// A phase that proves nothing yet.
    pub fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        let (name, title) = (name.into(), title.into());
        Self {
            name,
            title,
            checks: Vec::new(),
            keys: Vec::new(),
            configuration: false,
        }
    }

    /// Adds a check of the runner's registry, to be run when those before it have passed.
    ///
    /// A check whose success is its effect (migrating a schema) has its place here too.
    pub fn check(mut self, name: impl Into<String>) -> Self {
        self.checks.push(name.into());
        self
    }

    /// Names the settings that lead to what this phase proves, so that whoever reads of a problem
    /// knows which to look at.
    pub fn keys(mut self, keys: impl IntoIterator<Item = &'static str>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Its name, which is that of its lifecycle hook.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Says that this phase judges the configuration: no other is begun before it has passed, and
    /// its failure has an exit code of its own.
    pub fn configuration(mut self) -> Self {
        self.configuration = true;
        self
    }
}

// === impl PhaseState ===

impl PhaseState {
    /// The state as the wire formats write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    pub(crate) fn of(checks: &[CheckReport]) -> Self {
        match checks.iter().map(CheckReport::rank).max() {
            Some(Rank::Uncertain | Rank::Broken) => Self::Failed,
            Some(Rank::Degraded) => Self::Warned,
            Some(Rank::Fine) | None => Self::Passed,
        }
    }
}

// === impl PhaseReport ===

impl PhaseReport {
    pub(crate) fn new(
        number: usize,
        phase: &Phase,
        checks: Vec<CheckReport>,
        elapsed: Duration,
    ) -> Self {
        let state = PhaseState::of(&checks);
        Self {
            state,
            checks,
            elapsed,
            ..Self::skipped(number, phase)
        }
    }

    pub(crate) fn skipped(number: usize, phase: &Phase) -> Self {
        Self {
            number,
            name: phase.name.clone(),
            title: phase.title.clone(),
            state: PhaseState::Skipped,
            keys: phase.keys.clone(),
            checks: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// The number of findings that keep the process from starting.
    pub fn problems(&self) -> usize {
        let blocking = self.checks.iter().filter(|check| check.is_blocking());
        blocking
            .flat_map(|check| check.outcome.findings())
            .filter(|f| f.is_failure())
            .count()
    }

    /// The number of findings that somebody should look at, though the process may start.
    pub fn warnings(&self) -> usize {
        let findings = self.checks.iter().flat_map(|check| {
            let blocking = check.is_blocking();
            check
                .outcome
                .findings()
                .iter()
                .filter(move |finding| match finding.status() {
                    Status::Pass => false,
                    Status::Warn => true,
                    Status::Fail | Status::Unknown => !blocking,
                })
        });
        findings.count()
    }
}
