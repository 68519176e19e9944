//! What the runner hands back.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::{Criticality, Health, Outcome, Rank, rank};

/// One check's outcome, and how it came about.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The check's name.
    pub name: String,
    /// What a failure means for the whole.
    pub criticality: Criticality,
    /// What the check found.
    pub outcome: Outcome,
    /// When the run that gave the outcome began, by the wall clock.
    pub started_at: SystemTime,
    /// When the outcome was there, by the monotonic clock; ages are judged by it.
    pub finished: Instant,
    /// How long that run took.
    pub duration: Duration,
    /// How many runs it took: 1, or more where the runner retried.
    pub attempts: u32,
}

/// The outcomes of several checks, in the order in which they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The outcomes.
    pub checks: Vec<CheckReport>,
}

// === impl CheckReport ===

impl CheckReport {
    /// The weight of this outcome for the whole.
    pub fn rank(&self) -> Rank {
        rank(self.outcome.status(), self.criticality)
    }

    /// Whether it keeps a process from starting: a critical check that failed or could not be
    /// told.
    pub fn is_blocking(&self) -> bool {
        self.rank() >= Rank::Uncertain
    }
}

// === impl Report ===

impl Report {
    /// The state of the whole.
    pub fn health(&self) -> Health {
        Health::of(self.checks.iter().map(CheckReport::rank))
    }

    /// The outcomes that keep a process from starting.
    pub fn blocking(&self) -> impl Iterator<Item = &CheckReport> {
        self.checks.iter().filter(|check| check.is_blocking())
    }

    /// One check's outcome.
    pub fn get(&self, name: &str) -> Option<&CheckReport> {
        self.checks.iter().find(|check| check.name == name)
    }
}
