//! What a start came to.

use tria_check::Code;

use crate::{PhaseReport, PhaseState, exit_code};

/// What a start came to: each phase in order, and whether the process may serve.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The phases, in order.
    pub phases: Vec<PhaseReport>,
    pub(crate) exit_code: Option<u8>,
}

// === impl Verdict ===

impl Verdict {
    /// Judges the phases. `configuration` holds the names of those that judge the configuration.
    ///
    /// A failed configuration wins over everything, since nothing else was tried; then a bug,
    /// then a failure for good, then one that may go away.
    pub(crate) fn of(phases: Vec<PhaseReport>, configuration: &[String]) -> Self {
        let failed = phases
            .iter()
            .filter(|phase| phase.state == PhaseState::Failed);
        let codes = failed.map(|phase| {
            if configuration.contains(&phase.name) {
                exit_code::CONFIG
            } else {
                phase_code(phase)
            }
        });
        let exit_code = codes.max_by_key(|code| weight(*code));
        Self { phases, exit_code }
    }

    /// Whether the process may serve.
    pub fn may_serve(&self) -> bool {
        self.exit_code.is_none()
    }

    /// The exit code of a process that may not serve; `None` when it may.
    pub fn exit_code(&self) -> Option<u8> {
        self.exit_code
    }

    /// The number of findings that keep the process from serving.
    pub fn problems(&self) -> usize {
        self.phases.iter().map(PhaseReport::problems).sum()
    }

    /// The number of findings that somebody should look at.
    pub fn warnings(&self) -> usize {
        self.phases.iter().map(PhaseReport::warnings).sum()
    }
}

fn phase_code(phase: &PhaseReport) -> u8 {
    let blocking = phase.checks.iter().filter(|check| check.is_blocking());
    let codes = blocking.map(|check| {
        if check.outcome.code() == Code::PANIC {
            exit_code::SOFTWARE
        } else if check.outcome.is_permanent_failure() {
            exit_code::UNAVAILABLE
        } else {
            exit_code::TEMPORARY
        }
    });
    codes
        .max_by_key(|code| weight(*code))
        .unwrap_or(exit_code::SOFTWARE)
}

/// How strongly a code pulls the whole to itself.
fn weight(code: u8) -> u8 {
    match code {
        exit_code::TEMPORARY => 1,
        exit_code::UNAVAILABLE => 2,
        exit_code::SOFTWARE => 3,
        _ => 4,
    }
}
