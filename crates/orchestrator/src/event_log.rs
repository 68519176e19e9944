//! A start, as structured events.

use tracing::{error, info, warn};
use tria_check::{CheckReport, Finding, PublicText, Status};

use crate::{Observer, PhaseReport, PhaseState, StartupEvent, wire::millis};

/// Emits a start as `tracing` events: one for each phase, one for each finding that is not a
/// pass, one when a check is being waited for, and one at the end. The target is `tria::startup`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventLog;

impl Observer for EventLog {
    fn on_event(&self, event: &StartupEvent<'_>) {
        match event {
            StartupEvent::PhaseBegan { .. } => {}
            StartupEvent::Retrying { number, check, .. } => {
                info!(target: "tria::startup", phase = number, check = check.name,
                    code = check.outcome.code().as_str(), attempts = check.attempts,
                    "waiting for a dependency");
            }
            StartupEvent::CheckEnded { number, check } => {
                for finding in check.outcome.findings() {
                    log_finding(*number, check, finding);
                }
            }
            StartupEvent::PhaseEnded(report) => log_phase(report),
            StartupEvent::Ended { verdict, elapsed } => {
                let elapsed_ms = millis(*elapsed);
                let (problems, warnings) = (verdict.problems(), verdict.warnings());
                match verdict.exit_code() {
                    None => {
                        info!(target: "tria::startup", elapsed_ms, warnings, "startup complete");
                    }
                    Some(exit_code) => error!(target: "tria::startup", elapsed_ms, exit_code,
                        problems, warnings, "startup refused"),
                }
            }
        }
    }
}

fn log_phase(report: &PhaseReport) {
    let (phase, name, title) = (report.number, &report.name, &report.title);
    let (state, elapsed_ms) = (report.state.as_str(), millis(report.elapsed));
    let (proven, keys) = (proven(report), report.keys.join(", "));
    match report.state {
        PhaseState::Failed => {
            let problems = report.problems();
            error!(target: "tria::startup", phase, name, title, state, elapsed_ms, problems, proven, keys,
                "phase ended");
        }
        PhaseState::Warned => {
            let warnings = report.warnings();
            warn!(target: "tria::startup", phase, name, title, state, elapsed_ms, warnings, proven,
                "phase ended");
        }
        PhaseState::Passed | PhaseState::Skipped => {
            info!(target: "tria::startup", phase, name, title, state, elapsed_ms, proven,
                "phase ended");
        }
    }
}

fn log_finding(phase: usize, check: &CheckReport, finding: &Finding) {
    let (code, text) = (finding.code().as_str(), finding.text().as_str());
    let remedy = finding.get_remedy().map(PublicText::as_str);
    let detail = finding.get_detail().map(tria_check::PrivateText::expose);
    let check_name = check.name.as_str();
    match finding.status() {
        Status::Pass => {}
        Status::Fail | Status::Unknown if check.is_blocking() => {
            error!(target: "tria::startup", phase, check = check_name, code, text, remedy, detail,
                "problem");
        }
        Status::Warn | Status::Fail | Status::Unknown => {
            warn!(target: "tria::startup", phase, check = check_name, code, text, remedy, detail,
                "warning");
        }
    }
}

/// What was proven, joined with `; `.
fn proven(report: &PhaseReport) -> String {
    let findings = report
        .checks
        .iter()
        .flat_map(|check| check.outcome.findings());
    let passes = findings.filter(|finding| finding.status() == Status::Pass);
    passes
        .map(|finding| finding.text().as_str())
        .collect::<Vec<_>>()
        .join("; ")
}
