//! Who is told of every run.

use std::sync::Arc;

use crate::CheckReport;

/// Told of every run of a [`crate::Runner`], as it happens: for counters and histograms. It must
/// return at once, and must not panic.
pub trait RunObserver: Send + Sync + 'static {
    /// A run has ended.
    fn ended(&self, report: &CheckReport) {
        let _ = report;
    }

    /// Somebody asked for a check while a run of it was under way, and waits for that run.
    fn joined(&self, check: &str) {
        let _ = check;
    }
}

/// Nobody is told.
impl RunObserver for () {}

impl<O: RunObserver + ?Sized> RunObserver for Arc<O> {
    fn ended(&self, report: &CheckReport) {
        (**self).ended(report);
    }

    fn joined(&self, check: &str) {
        (**self).joined(check);
    }
}

/// Both are told, the first first.
impl<A: RunObserver, B: RunObserver> RunObserver for (A, B) {
    fn ended(&self, report: &CheckReport) {
        self.0.ended(report);
        self.1.ended(report);
    }

    fn joined(&self, check: &str) {
        self.0.joined(check);
        self.1.joined(check);
    }
}
