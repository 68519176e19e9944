//! Who is told what happens during a start.

use std::time::Duration;

use tokio::time::Instant;
use tria_check::CheckReport;

use crate::{PhaseReport, Verdict};

/// One thing that happened during a start. Phases that run at the same time mix their events.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartupEvent<'a> {
    /// A phase began.
    PhaseBegan {
        /// Its place in the order, from 1.
        number: usize,
        /// Its title.
        title: &'a str,
    },
    /// A check failed in a way that may go away, and will be asked again.
    Retrying {
        /// The phase's place in the order, from 1.
        number: usize,
        /// The failed outcome.
        check: &'a CheckReport,
        /// When the waiting ends.
        deadline: Instant,
    },
    /// A check came to its end.
    CheckEnded {
        /// The phase's place in the order, from 1.
        number: usize,
        /// Its last outcome.
        check: &'a CheckReport,
    },
    /// A phase came to its end.
    PhaseEnded(&'a PhaseReport),
    /// The start came to its end.
    Ended {
        /// What it came to.
        verdict: &'a Verdict,
        /// How long it took.
        elapsed: Duration,
    },
}

/// Is told what happens during a start. It must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, event: &StartupEvent<'_>);
}

impl<O: Observer> Observer for std::sync::Arc<O> {
    fn on_event(&self, event: &StartupEvent<'_>) {
        (**self).on_event(event);
    }
}
