//! Where the phases of one start tell each other how they stand.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Phase, PhaseReport};

/// Shared by the phases of one start.
#[derive(Clone)]
pub(crate) struct Board {
    shared: Arc<Shared>,
}

struct Shared {
    reports: Mutex<Vec<Option<PhaseReport>>>,
    pending: watch::Sender<usize>,
    give_up: CancellationToken,
}

// === impl Board ===

impl Board {
    /// A board for that many phases.
    pub(crate) fn new(phases: usize) -> Self {
        let reports = Mutex::new(vec![None; phases]);
        let (pending, give_up) = (watch::Sender::new(phases), CancellationToken::new());
        Self {
            shared: Arc::new(Shared {
                reports,
                pending,
                give_up,
            }),
        }
    }

    /// Cancelled once something failed for good.
    pub(crate) fn give_up(&self) -> &CancellationToken {
        &self.shared.give_up
    }

    /// Enters what a phase came to. Whether every phase came to its end with it.
    pub(crate) fn enter(&self, report: PhaseReport) -> bool {
        let index = report.number - 1;
        let mut reports = self
            .shared
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let first = reports[index].replace(report).is_none();
        drop(reports);
        let mut last = false;
        self.shared.pending.send_if_modified(|pending| {
            *pending -= usize::from(first);
            last = first && *pending == 0;
            first
        });
        last
    }

    /// Waits until every phase came to its end.
    pub(crate) async fn all_ended(&self) {
        let mut pending = self.shared.pending.subscribe();
        // It cannot fail: `self` holds the sender.
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }

    /// The reports of `phases` in order; a phase without one is skipped.
    pub(crate) fn reports(&self, phases: &[Phase]) -> Vec<PhaseReport> {
        let reports = self
            .shared
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let pairs = reports.iter().zip(phases).enumerate();
        let report = pairs.map(|(index, (report, phase))| match report {
            Some(report) => report.clone(),
            None => PhaseReport::skipped(index + 1, phase),
        });
        report.collect()
    }
}
