//! What a check found.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::{PrivateText, PublicText, PublicValue};

/// The verdict of one finding, or of a whole outcome. It has no order on purpose: how verdicts
/// weigh against each other depends on criticality, see [`crate::rank`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Proven to work.
    Pass,
    /// Works, but somebody should look.
    Warn,
    /// Proven not to work.
    Fail,
    /// Could not be told.
    Unknown,
}

/// A short, stable identifier of what was found: `[a-z0-9_]{1,64}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(&'static str);

/// Whether waiting can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It stays so until somebody changes something.
    Permanent,
    /// It may go away by itself; with the time that the dependency asked to be left alone, if it
    /// named one.
    Transient(Option<Duration>),
}

/// One thing that a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    status: Status,
    code: Code,
    text: PublicText,
    retry: Retry,
    remedy: Option<PublicText>,
    detail: Option<PrivateText>,
}

/// A value that a check observed, with its unit (`ms`, `bytes`, `connections`, or empty).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observed {
    /// What was observed, as in `pool_available`.
    pub name: &'static str,
    /// Its value; safe to show anyone.
    pub value: PublicValue,
    /// Its unit.
    pub unit: &'static str,
}

/// What one run of a check found: at least one [`Finding`], and what it observed on the way.
#[derive(Clone, Debug)]
pub struct Outcome {
    findings: Vec<Finding>,
    observed: Vec<Observed>,
}

// === impl Status ===

impl Status {
    /// The status as the wire formats write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }

    /// How strongly it pulls a whole outcome to itself.
    fn weight(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Warn => 1,
            Self::Unknown => 2,
            Self::Fail => 3,
        }
    }
}

// === impl Code ===

impl Code {
    /// Nothing is wrong.
    pub const OK: Self = Self::new("ok");
    /// The check did not answer within its timeout; given by the runner.
    pub const TIMEOUT: Self = Self::new("timeout");
    /// The check panicked; given by the runner.
    pub const PANIC: Self = Self::new("panic");
    /// The run was cancelled before the check answered; given by the runner.
    pub const CANCELLED: Self = Self::new("cancelled");
    /// The check has not run yet.
    pub const NOT_RUN: Self = Self::new("not_run");
    /// The codes that the runner gives on its own.
    pub const RUNNER: &'static [Self] =
        &[Self::TIMEOUT, Self::PANIC, Self::CANCELLED, Self::NOT_RUN];

    /// A code.
    ///
    /// # Panics
    /// At compile time in a constant, when `code` does not match `[a-z0-9_]{1,64}`.
    pub const fn new(code: &'static str) -> Self {
        let bytes = code.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= 64,
            "a code has 1 to 64 characters"
        );
        let mut index = 0;
        while index < bytes.len() {
            assert!(
                matches!(bytes[index], b'a'..=b'z' | b'0'..=b'9' | b'_'),
                "a code consists of [a-z0-9_]"
            );
            index += 1;
        }
        Self(code)
    }

    /// The code as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// === impl Finding ===

impl Finding {
    /// Something proven to work, as in `Connected to PostgreSQL 15.18`.
    pub fn pass(text: impl Into<PublicText>) -> Self {
        Self::new(Status::Pass, Code::OK, text)
    }

    /// Something that works but should be looked at.
    pub fn warn(code: Code, text: impl Into<PublicText>) -> Self {
        Self::new(Status::Warn, code, text)
    }

    /// Something that does not work and stays so until somebody acts.
    pub fn fail(code: Code, text: impl Into<PublicText>) -> Self {
        Self::new(Status::Fail, code, text)
    }

    /// Something that could not be told.
    pub fn unknown(code: Code, text: impl Into<PublicText>) -> Self {
        Self::new(Status::Unknown, code, text).transient(None)
    }

    fn new(status: Status, code: Code, text: impl Into<PublicText>) -> Self {
        let text = text.into();
        Self {
            status,
            code,
            text,
            retry: Retry::Permanent,
            remedy: None,
            detail: None,
        }
    }

    /// Says that it may go away by itself, and when at the earliest, if that is known.
    pub fn transient(mut self, retry_after: Option<Duration>) -> Self {
        self.retry = Retry::Transient(retry_after);
        self
    }

    /// Says what to do about it.
    pub fn remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds what only operators may read.
    pub fn detail(mut self, detail: PrivateText) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The verdict.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The text that anyone may read.
    pub fn text(&self) -> &PublicText {
        &self.text
    }

    /// Whether waiting can help.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// What to do about it.
    pub fn get_remedy(&self) -> Option<&PublicText> {
        self.remedy.as_ref()
    }

    /// What only operators may read.
    pub fn get_detail(&self) -> Option<&PrivateText> {
        self.detail.as_ref()
    }

    /// Whether it is a failure, or something that could not be told.
    pub fn is_failure(&self) -> bool {
        matches!(self.status, Status::Fail | Status::Unknown)
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
            observed: Vec::new(),
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// An outcome of several findings. Without any it is an Unknown with the code `not_run`: a
    /// check that says nothing has proven nothing.
    pub fn new(findings: impl IntoIterator<Item = Finding>) -> Self {
        let mut findings: Vec<Finding> = findings.into_iter().collect();
        if findings.is_empty() {
            findings.push(Finding::unknown(
                Code::NOT_RUN,
                "the check reported nothing",
            ));
        }
        Self {
            findings,
            observed: Vec::new(),
        }
    }

    /// Adds an observed value.
    pub fn observe(
        mut self,
        name: &'static str,
        value: impl Into<PublicValue>,
        unit: &'static str,
    ) -> Self {
        self.observed.push(Observed {
            name,
            value: value.into(),
            unit,
        });
        self
    }

    /// The findings, in the order in which the check made them; never empty.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was observed.
    pub fn observed(&self) -> &[Observed] {
        &self.observed
    }

    /// An observed value by its name.
    pub fn observed_value(&self, name: &str) -> Option<&PublicValue> {
        self.observed
            .iter()
            .find(|observed| observed.name == name)
            .map(|observed| &observed.value)
    }

    /// The finding that decides: the first of the gravest.
    ///
    /// # Panics
    /// Never: an outcome holds at least one finding.
    pub fn decisive(&self) -> &Finding {
        let mut decisive = &self.findings[0];
        for finding in &self.findings[1..] {
            if finding.status.weight() > decisive.status.weight() {
                decisive = finding;
            }
        }
        decisive
    }

    /// The verdict: that of the gravest finding (Fail, then Unknown, Warn, Pass).
    pub fn status(&self) -> Status {
        self.decisive().status
    }

    /// The code of the decisive finding.
    pub fn code(&self) -> Code {
        self.decisive().code
    }

    /// The public text of the decisive finding.
    pub fn text(&self) -> &PublicText {
        &self.decisive().text
    }

    /// Whether it is a failure, or could not be told.
    pub fn is_failure(&self) -> bool {
        self.decisive().is_failure()
    }

    /// Whether waiting can help: Permanent as soon as one failure is; otherwise Transient with
    /// the longest time asked for. Meaningless where nothing failed.
    pub fn retry(&self) -> Retry {
        let failures = self.findings.iter().filter(|finding| finding.is_failure());
        let mut longest = None;
        for failure in failures {
            match failure.retry {
                Retry::Permanent => return Retry::Permanent,
                Retry::Transient(after) => longest = longest.max(after),
            }
        }
        Retry::Transient(longest)
    }

    /// Whether it failed for good.
    pub fn is_permanent_failure(&self) -> bool {
        self.is_failure() && self.retry() == Retry::Permanent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Code = Code::new("a");
    const B: Code = Code::new("b");

    #[test]
    fn the_gravest_finding_decides() {
        let outcome = Outcome::new([
            Finding::pass("fine"),
            Finding::warn(A, "look"),
            Finding::fail(B, "broken"),
            Finding::unknown(A, "?"),
        ]);
        assert_eq!((outcome.status(), outcome.code()), (Status::Fail, B));
    }

    #[test]
    fn an_empty_outcome_proves_nothing() {
        assert_eq!(Outcome::new([]).status(), Status::Unknown);
    }

    #[test]
    fn permanent_wins_over_transient() {
        let second = Duration::from_secs(1);
        let transient = Finding::fail(A, "later").transient(Some(second));
        let outcome = Outcome::new([transient.clone(), Finding::fail(B, "never")]);
        assert_eq!(outcome.retry(), Retry::Permanent);
        let outcome = Outcome::new([Finding::fail(A, "x").transient(None), transient]);
        assert_eq!(outcome.retry(), Retry::Transient(Some(second)));
    }

    #[test]
    fn a_warning_is_no_permanent_failure() {
        assert!(!Outcome::from(Finding::warn(A, "look")).is_permanent_failure());
    }
}
