//! Changes of what is known of a check.

use std::sync::Arc;

use tracing::{info, warn};
use tria_check::{CheckReport, Code, PrivateText, Status};

/// What is known of a check has changed: its verdict, or the cause of its failure.
#[derive(Clone, Debug)]
pub struct StateChange {
    /// The verdict and its code until now; `None` at the first result.
    pub before: Option<(Status, Code)>,
    /// The result that counts from now on.
    pub report: Arc<CheckReport>,
    /// What kind of change it is.
    pub turn: Turn,
}

/// The kinds of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// It passed or warned (or had not run), and counts as failed now.
    Failed,
    /// It counted as failed, and has recovered.
    Recovered,
    /// It fails as before, for another cause.
    OtherCause,
    /// It passed (or had not run), and warns now.
    Warned,
    /// It warned, and passes now.
    Cleared,
    /// It warns as before, of something else.
    OtherWarning,
}

// === impl Turn ===

impl Turn {
    /// The turn from one verdict that counted to the next, if it is one.
    pub(crate) fn between(before: Option<(Status, Code)>, now: (Status, Code)) -> Option<Self> {
        let failing = |status| matches!(status, Status::Fail | Status::Unknown);
        let (status_before, code_before) = before.unwrap_or((Status::Pass, Code::OK));
        let (status, code) = now;
        match (failing(status_before), failing(status)) {
            (false, true) => Some(Self::Failed),
            (true, false) => Some(Self::Recovered),
            (true, true) => (code != code_before).then_some(Self::OtherCause),
            (false, false) => match (status_before, status) {
                (Status::Pass, Status::Warn) => Some(Self::Warned),
                (Status::Warn, Status::Pass) => Some(Self::Cleared),
                (Status::Warn, Status::Warn) if code != code_before => Some(Self::OtherWarning),
                _ => None,
            },
        }
    }

    /// Whether somebody should look.
    pub fn is_bad_news(self) -> bool {
        !matches!(self, Self::Recovered | Self::Cleared)
    }
}

// === impl StateChange ===

impl StateChange {
    /// One event for each change. The log of a process is for operators, so it gets the private
    /// detail.
    pub(crate) fn log(&self) {
        let (check, decisive) = (self.report.name.as_str(), self.report.outcome.decisive());
        let code = decisive.code().as_str();
        let code_before = self.before.map(|(_, code)| code.as_str());
        let detail = decisive.get_detail().map(PrivateText::expose);
        let text = decisive.text();
        let remedy = decisive.get_remedy().map(ToString::to_string);
        match self.turn {
            Turn::Failed => {
                warn!(check, code, detail, remedy, "a check has failed: {text}");
            }
            Turn::OtherCause => warn!(
                check,
                code, code_before, detail, remedy, "a check fails for another cause: {text}"
            ),
            Turn::Warned | Turn::OtherWarning => {
                warn!(check, code, detail, remedy, "a check warns: {text}");
            }
            Turn::Recovered => info!(check, code, code_before, "a check has recovered"),
            Turn::Cleared => info!(check, code_before, "a check warns no more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Fail, Pass, Unknown, Warn};

    #[test]
    fn every_change_of_verdict_or_cause_has_its_name() {
        const A: Code = Code::new("a");
        const B: Code = Code::new("b");
        let ok = Code::OK;
        let table = [
            (None, (Pass, ok), None),
            (None, (Fail, A), Some(Turn::Failed)),
            (None, (Warn, A), Some(Turn::Warned)),
            (Some((Pass, ok)), (Pass, ok), None),
            (Some((Pass, ok)), (Unknown, A), Some(Turn::Failed)),
            (Some((Warn, A)), (Fail, A), Some(Turn::Failed)),
            (Some((Fail, A)), (Fail, A), None),
            (Some((Fail, A)), (Unknown, B), Some(Turn::OtherCause)),
            (Some((Fail, A)), (Warn, A), Some(Turn::Recovered)),
            (Some((Unknown, A)), (Pass, ok), Some(Turn::Recovered)),
            (Some((Warn, A)), (Warn, A), None),
            (Some((Warn, A)), (Warn, B), Some(Turn::OtherWarning)),
            (Some((Warn, A)), (Pass, ok), Some(Turn::Cleared)),
        ];
        for (before, now, expected) in table {
            assert_eq!(Turn::between(before, now), expected, "{before:?} {now:?}");
        }
    }
}
