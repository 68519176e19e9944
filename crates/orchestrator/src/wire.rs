//! A verdict as JSON.

use serde_json::{Value, json};
use tria_check::{CheckReport, Finding, PrivateText};

use crate::{PhaseReport, Verdict};

/// A verdict as JSON, for the operator who ran the start: it holds private details. Durations are
/// in milliseconds.
pub fn report_json(verdict: &Verdict) -> Value {
    json!({
        "may_serve": verdict.may_serve(),
        "exit_code": verdict.exit_code().unwrap_or(0),
        "problems": verdict.problems(),
        "warnings": verdict.warnings(),
        "phases": verdict.phases.iter().map(phase_json).collect::<Vec<_>>(),
    })
}

fn phase_json(phase: &PhaseReport) -> Value {
    json!({
        "number": phase.number,
        "name": phase.name,
        "title": phase.title,
        "state": phase.state,
        "elapsed_ms": millis(phase.elapsed),
        "keys": phase.keys,
        "checks": phase.checks.iter().map(check_json).collect::<Vec<_>>(),
    })
}

fn check_json(check: &CheckReport) -> Value {
    json!({
        "name": check.name,
        "status": check.outcome.status(),
        "code": check.outcome.code(),
        "blocking": check.is_blocking(),
        "attempts": check.attempts,
        "elapsed_ms": millis(check.duration),
        "findings": check.outcome.findings().iter().map(finding_json).collect::<Vec<_>>(),
        "observed": check.outcome.observed(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "status": finding.status(),
        "code": finding.code(),
        "text": finding.text(),
        "remedy": finding.get_remedy(),
        "detail": finding.get_detail().map(PrivateText::expose),
    })
}

/// Milliseconds with three decimals.
pub(crate) fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
