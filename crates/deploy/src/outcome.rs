//! How a command ended, and the exit code that says so.

use serde::{Deserialize, Serialize};

use crate::{phase::Phase, processes::Owner};

/// Something that is wrong, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A short stable name.
    pub code: String,
    /// What is wrong.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Done {
        /// The release that serves.
        release: Option<u64>,
    },
    /// There was nothing to do.
    Unchanged,
    /// It cannot be done as it was asked for; nothing was touched.
    Refused(Problem),
    /// It failed before the switch; the old release serves, untouched.
    Failed {
        /// Where; none if it was before the first phase.
        phase: Option<Phase>,
        /// Why.
        problem: Problem,
    },
    /// A phase took longer than it may, before the switch; the old release serves, untouched.
    TimedOut {
        /// Which one.
        phase: Phase,
    },
    /// It failed after the switch; the old release serves again.
    RolledBack {
        /// Why.
        problem: Problem,
    },
    /// It failed after the switch, and the way back failed, too.
    RollbackFailed {
        /// Why.
        problem: Problem,
    },
    /// The new release serves, and something is not as it should be.
    Degraded {
        /// What.
        problem: Problem,
    },
    /// Somebody else deploys; nothing was touched.
    Locked {
        /// Who; nobody known if the lease was lost on the way.
        owner: Option<Owner>,
    },
    /// It was asked to stop before the switch.
    Interrupted {
        /// Whether all was undone; otherwise the next deployment does it.
        undone: bool,
    },
}

/// The exit codes; there are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExitCode(u8);

// === impl Problem ===

impl Problem {
    /// A problem and its remedy.
    pub fn new(code: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
            remedy: remedy.into(),
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// The exit code of the command.
    pub const fn exit_code(&self) -> ExitCode {
        ExitCode(match self {
            Self::Done { .. } | Self::Unchanged => 0,
            Self::Refused(_) => 2,
            Self::Failed { phase: None, .. } => 10,
            Self::Failed {
                phase: Some(phase), ..
            } => 10 + phase.number(),
            Self::RolledBack { .. } => 20,
            Self::RollbackFailed { .. } => 21,
            Self::Degraded { .. } => 22,
            Self::Locked { .. } => 30,
            Self::TimedOut { .. } => 70,
            Self::Interrupted { .. } => 130,
        })
    }

    /// What is wrong, if anything is.
    pub const fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem)
            | Self::Failed { problem, .. }
            | Self::RolledBack { problem }
            | Self::RollbackFailed { problem }
            | Self::Degraded { problem } => Some(problem),
            Self::Done { .. }
            | Self::Unchanged
            | Self::TimedOut { .. }
            | Self::Locked { .. }
            | Self::Interrupted { .. } => None,
        }
    }
}

// === impl ExitCode ===

impl ExitCode {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// An error and what caused it, in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_exit_code() {
        let problem = || Problem::new("x", "x", "x");
        let failed = |phase| Outcome::Failed {
            phase,
            problem: problem(),
        };
        let cases = [
            (Outcome::Done { release: Some(1) }, 0),
            (Outcome::Unchanged, 0),
            (Outcome::Refused(problem()), 2),
            (failed(None), 10),
            (Outcome::RolledBack { problem: problem() }, 20),
            (Outcome::RollbackFailed { problem: problem() }, 21),
            (Outcome::Degraded { problem: problem() }, 22),
            (Outcome::Locked { owner: None }, 30),
            (
                Outcome::TimedOut {
                    phase: Phase::Build,
                },
                70,
            ),
            (Outcome::Interrupted { undone: true }, 130),
        ];
        for (outcome, code) in cases {
            assert_eq!(outcome.exit_code().get(), code, "{outcome:?}");
        }
        let codes = Phase::ALL.map(|phase| failed(Some(phase)).exit_code().get());
        assert_eq!(codes, [11, 12, 13, 14, 15, 16, 17]);
    }
}
