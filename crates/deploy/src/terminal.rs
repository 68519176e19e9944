//! Events for people.

use std::{io::Write, sync::Mutex};

use crate::{
    event::{Event, Mark, Observer, Stamped},
    outcome::{Outcome, Problem},
    plan::Plan,
};

/// Writes events as text.
pub struct Terminal<W> {
    writer: Mutex<W>,
}

// === impl Terminal ===

impl<W: Write + Send> Terminal<W> {
    /// Writes there.
    pub fn new(writer: W) -> Self {
        Self {
            writer: Mutex::new(writer),
        }
    }
}

impl<W: Write + Send> Observer for Terminal<W> {
    fn event(&self, event: &Stamped) {
        let text = text(&event.event);
        let mut writer = self
            .writer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A terminal that was closed must not end a deployment half way.
        let _ = writeln!(writer, "{text}");
        let _ = writer.flush();
    }
}

/// An event as people read it, without the end of its last line.
pub fn text(event: &Event) -> String {
    match event {
        Event::Recovering { text } => format!("⚠️  {text}"),
        Event::Planned { plan } => plan_text(plan),
        Event::PhaseStarted { phase, deadline_ms } => format!(
            "PHASE {}: {} (at most {} s)",
            phase.number(),
            phase.title(),
            deadline_ms / 1000
        ),
        Event::Step { text, mark } => {
            let mark = match mark {
                Mark::Good => "✅",
                Mark::Note => "  ",
                Mark::Warning => "⚠️ ",
            };
            let text = text.replace('\n', "\n     ");
            format!("  {mark} {text}")
        }
        Event::PhaseFinished { phase, elapsed_ms } => {
            format!("  phase {} took {}", phase.number(), seconds(*elapsed_ms))
        }
        Event::PhaseFailed { problem, .. } => format!("  ❌ {}", problem_text(problem)),
        Event::Switched { from, to } => match from {
            Some(from) => format!("  ✅ Traffic goes to {to}, no longer to {from}"),
            None => format!("  ✅ Traffic goes to {to}"),
        },
        Event::GoingBack { reason } => format!("  ↩️  Going back: {reason}"),
        Event::Finished {
            result, elapsed_ms, ..
        } => outcome_text(result, *elapsed_ms),
    }
}

fn plan_text(plan: &Plan) -> String {
    let mut lines = vec![if plan.is_unchanged() {
        "PLAN: nothing to change".to_owned()
    } else {
        format!("PLAN: release {}", plan.number)
    }];
    lines.extend(plan.changes.iter().map(|change| format!("  • {change}")));
    for (title, items) in [("service", &plan.services), ("migration", &plan.migrations)] {
        lines.extend(items.iter().map(|item| format!("  • {title}: {item}")));
    }
    lines.extend(
        plan.warnings
            .iter()
            .map(|warning| format!("  ⚠️  {warning}")),
    );
    if !plan.is_unchanged() {
        lines.push(format!(
            "  expected downtime: {} s",
            plan.downtime_ms / 1000
        ));
    }
    lines.join("\n")
}

fn problem_text(problem: &Problem) -> String {
    let text = problem.text.replace('\n', "\n     ");
    format!("{text} [{}]\n     → {}", problem.code, problem.remedy)
}

fn outcome_text(outcome: &Outcome, elapsed_ms: u64) -> String {
    let took = seconds(elapsed_ms);
    let verdict = match outcome {
        Outcome::Done {
            release: Some(number),
        } => format!("✅ DONE: release {number} serves ({took})"),
        Outcome::Done { release: None } => format!("✅ DONE ({took})"),
        Outcome::Unchanged => format!("✅ UNCHANGED: nothing to do ({took})"),
        Outcome::Refused(_) => "❌ REFUSED: nothing was touched".to_owned(),
        Outcome::Failed { phase: None, .. } => "❌ FAILED before the first phase".to_owned(),
        Outcome::Failed {
            phase: Some(phase), ..
        } => format!("❌ FAILED in {phase}; the release that served still serves ({took})"),
        Outcome::TimedOut { phase } => {
            format!("❌ TIMED OUT in {phase}; the release that served still serves ({took})")
        }
        Outcome::RolledBack { .. } => {
            format!("❌ ROLLED BACK: the release that served serves again ({took})")
        }
        Outcome::RollbackFailed { .. } => {
            "❌ THE WAY BACK FAILED; run the command again, or `cargo xtask status`".to_owned()
        }
        Outcome::Degraded { .. } => {
            format!("⚠️  DEGRADED: the new release serves, not all is well ({took})")
        }
        Outcome::Locked { owner: Some(owner) } => format!("❌ LOCKED: {owner} deploys"),
        Outcome::Locked { owner: None } => {
            "❌ LOCKED: the lease was lost to another deployment".to_owned()
        }
        Outcome::Interrupted { undone: true } => {
            "❌ INTERRUPTED, and undone; the release that served still serves".to_owned()
        }
        Outcome::Interrupted { undone: false } => {
            "❌ INTERRUPTED; the next deployment undoes or finishes what is left".to_owned()
        }
    };
    match outcome.problem() {
        Some(problem) => format!("{verdict}\n  {}", problem_text(problem)),
        None => verdict,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration for people, with one digit after the point"
)]
fn seconds(millis: u64) -> String {
    format!("{:.1} s", millis as f64 / 1000.0)
}
