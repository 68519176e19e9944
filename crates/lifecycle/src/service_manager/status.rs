//! How a run stands, in one line.

use std::fmt::Write;

use tria_check::Phase;

use crate::{HookReport, RunReport, StepOutcome};

/// The phase, why, and for what it waits.
pub(super) fn status(report: &RunReport) -> String {
    let mut line = match report.phase {
        Phase::Starting => "Starting".to_owned(),
        Phase::Ready => return "Ready".to_owned(),
        Phase::Draining => "Draining".to_owned(),
        Phase::Stopping => "Stopping".to_owned(),
        Phase::RollingBack => "Rolling back".to_owned(),
        Phase::Stopped(code) => format!("Stopped with exit code {code}"),
        Phase::Failed(code) => format!("Failed with exit code {code}"),
    };
    if let Some(reason) = &report.reason {
        // The message is made of lines.
        let reason = reason.to_string().replace(char::is_control, " ");
        let _ = write!(line, " ({reason})");
    }
    let waits_for: fn(&HookReport) -> bool = match report.phase {
        Phase::Starting => |hook| hook.start.outcome == StepOutcome::Running,
        Phase::Stopping => |hook| hook.stop.outcome == StepOutcome::Running,
        Phase::RollingBack => {
            |hook| [hook.start.outcome, hook.stop.outcome].contains(&StepOutcome::Running)
        }
        _ => |_| false,
    };
    let mut hooks = report.hooks.iter().filter(|hook| waits_for(hook));
    if let Some(first) = hooks.next() {
        let _ = write!(line, ": {}", first.name);
        for hook in hooks {
            let _ = write!(line, ", {}", hook.name);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ShutdownReason,
        StepOutcome::{Done, Running, Waiting},
    };

    fn report(phase: Phase, reason: Option<ShutdownReason>) -> RunReport {
        let hook = |name: &str, start, stop| {
            let mut hook = HookReport::new(name, &[]);
            (hook.start.outcome, hook.stop.outcome) = (start, stop);
            hook
        };
        let mut report = RunReport::new(vec![
            hook("starting", Running, Waiting),
            hook("up", Done, Waiting),
            hook("stopping", Done, Running),
            hook("down", Done, Done),
        ]);
        (report.phase, report.reason) = (phase, reason);
        report
    }

    #[test]
    fn the_line_says_for_what_the_process_waits() {
        let why = Some(ShutdownReason::Requested("told\nto".into()));
        for (phase, reason, line) in [
            (Phase::Starting, None, "Starting: starting"),
            (Phase::Ready, None, "Ready"),
            (Phase::Draining, why.clone(), "Draining (told to)"),
            (Phase::Stopping, why.clone(), "Stopping (told to): stopping"),
            (
                Phase::RollingBack,
                why.clone(),
                "Rolling back (told to): starting, stopping",
            ),
            (Phase::Stopped(0), why, "Stopped with exit code 0 (told to)"),
            (Phase::Failed(69), None, "Failed with exit code 69"),
        ] {
            assert_eq!(status(&report(phase, reason)), line);
        }
    }
}
