//! Carries what happens during the start to the probes.

use std::sync::Arc;

use tria_check::{PublicText, PublicValue, Status};
use tria_health::{PhaseState as Shown, Snapshot, StartupProgress};
use tria_orchestrator::{Observer, PhaseState, StartupEvent};

/// Fills the startup probe and the first snapshot of the health monitor.
pub(crate) struct Progress {
    pub(crate) startup: StartupProgress,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl Observer for Progress {
    fn on_event(&self, event: &StartupEvent<'_>) {
        match event {
            StartupEvent::PhaseBegan { number, .. } => self.startup.begin(*number),
            StartupEvent::Retrying { number, check, .. } => {
                let words = [
                    PublicValue::word(&check.name),
                    check.outcome.text().clone().into(),
                ];
                self.startup
                    .line(*number, PublicText::filled("waiting for {}: {}", &words));
            }
            StartupEvent::CheckEnded { number, check } => {
                for finding in check.outcome.findings() {
                    if finding.status() == Status::Pass {
                        self.startup.line(*number, finding.text().clone());
                    } else {
                        let words = [
                            finding.text().clone().into(),
                            finding.code().as_str().into(),
                        ];
                        self.startup
                            .line(*number, PublicText::filled("{} [{}]", &words));
                    }
                }
                self.snapshot.record((*check).clone());
            }
            StartupEvent::PhaseEnded(report) => {
                let state = match report.state {
                    PhaseState::Passed | PhaseState::Skipped => Shown::Passed,
                    PhaseState::Warned => Shown::Warned,
                    PhaseState::Failed => Shown::Failed,
                };
                self.startup.end(report.number, state);
            }
            _ => {}
        }
    }
}
