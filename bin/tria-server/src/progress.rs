//! Carries what happens during the start to the probes.

use tria_check::{PublicText, PublicValue, Status};
use tria_health::{PhaseState as Shown, StartupProgress};
use tria_orchestrator::{Observer, PhaseState, StartupEvent};

/// Fills the startup probe.
pub(crate) struct Progress(pub(crate) StartupProgress);

impl Observer for Progress {
    fn on_event(&self, event: &StartupEvent<'_>) {
        match event {
            StartupEvent::PhaseBegan { number, .. } => self.0.begin(*number),
            StartupEvent::Retrying { number, check, .. } => {
                let words = [
                    PublicValue::word(&check.name),
                    check.outcome.text().clone().into(),
                ];
                self.0
                    .line(*number, PublicText::filled("waiting for {}: {}", &words));
            }
            StartupEvent::CheckEnded { number, check } => {
                for finding in check.outcome.findings() {
                    if finding.status() == Status::Pass {
                        self.0.line(*number, finding.text().clone());
                    } else {
                        let words = [
                            finding.text().clone().into(),
                            finding.code().as_str().into(),
                        ];
                        self.0.line(*number, PublicText::filled("{} [{}]", &words));
                    }
                }
            }
            StartupEvent::PhaseEnded(report) => {
                let state = match report.state {
                    PhaseState::Passed | PhaseState::Skipped => Shown::Passed,
                    PhaseState::Warned => Shown::Warned,
                    PhaseState::Failed => Shown::Failed,
                };
                self.0.end(report.number, state);
            }
            _ => {}
        }
    }
}
