//! What is wrong with the settings.

use std::fmt;

use tria_check::{Code, PublicText};

use crate::{Severity, quote::key_word};

/// The closed list of what can be wrong.
pub mod code {
    use tria_check::Code;

    /// A key that must be set is not.
    pub const MISSING: Code = Code::new("missing");
    /// A key that must be set, or the file that it names, is empty or holds only white space.
    pub const EMPTY: Code = Code::new("empty");
    /// A value has not the form that it must have.
    pub const MALFORMED: Code = Code::new("malformed");
    /// A value has the right form, and lies outside its range.
    pub const OUT_OF_RANGE: Code = Code::new("out_of_range");
    /// A value has too few characters.
    pub const TOO_SHORT: Code = Code::new("too_short");
    /// A secret is too easy to guess.
    pub const TOO_WEAK: Code = Code::new("too_weak");
    /// A secret is a default or an example that everyone knows.
    pub const FORBIDDEN_DEFAULT: Code = Code::new("forbidden_default");
    /// The file of a secret cannot be read.
    pub const UNREADABLE_FILE: Code = Code::new("unreadable_file");
    /// Two keys contradict each other.
    pub const CONFLICTING: Code = Code::new("conflicting");
    /// A key that is set is none that is known.
    pub const UNKNOWN_KEY: Code = Code::new("unknown_key");

    /// All of them.
    pub const ALL: &[Code] = &[
        MISSING,
        EMPTY,
        MALFORMED,
        OUT_OF_RANGE,
        TOO_SHORT,
        TOO_WEAK,
        FORBIDDEN_DEFAULT,
        UNREADABLE_FILE,
        CONFLICTING,
        UNKNOWN_KEY,
    ];
}

/// Everything that is wrong with the settings, in the order of the rules. Its `Display` gives
/// each complaint a line, violations first, and nothing where nothing is wrong.
#[derive(Clone, Debug)]
pub struct Report {
    complaints: Vec<Complaint>,
    set: usize,
    known: usize,
    strict: bool,
}

/// One thing that is wrong with one key. Its `Display` is `KEY: problem. Remedy: …`.
#[derive(Clone, Debug)]
pub struct Complaint {
    pub(crate) key: String,
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) problem: PublicText,
    pub(crate) found: Option<String>,
    pub(crate) remedy: PublicText,
}

// === impl Report ===

impl Report {
    pub(crate) fn new(complaints: Vec<Complaint>, set: usize, known: usize, strict: bool) -> Self {
        Self {
            complaints,
            set,
            known,
            strict,
        }
    }

    /// Whether the settings may be used: there is no violation.
    pub fn is_valid(&self) -> bool {
        self.violations().next().is_none()
    }

    /// Whether the rules were strict.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// How many of the known keys are set.
    pub fn keys_set(&self) -> usize {
        self.set
    }

    /// How many keys are known.
    pub fn keys_known(&self) -> usize {
        self.known
    }

    /// All complaints, in the order of the rules.
    pub fn iter(&self) -> std::slice::Iter<'_, Complaint> {
        self.complaints.iter()
    }

    /// The complaints that forbid a start.
    pub fn violations(&self) -> impl Iterator<Item = &Complaint> {
        self.of(Severity::Violation)
    }

    /// The complaints that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Complaint> {
        self.of(Severity::Warning)
    }

    /// The complaints about one key.
    pub fn about<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Complaint> {
        self.iter().filter(move |complaint| complaint.key == key)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Complaint> {
        self.iter()
            .filter(move |complaint| complaint.severity == severity)
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Complaint;
    type IntoIter = std::slice::Iter<'a, Complaint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in self.violations() {
            writeln!(f, "{violation}")?;
        }
        for warning in self.warnings() {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

// === impl Complaint ===

impl Complaint {
    /// The key, as it is written in the source.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What kind of thing is wrong; one of [`code::ALL`].
    pub fn code(&self) -> Code {
        self.code
    }

    /// What it means for the start.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, going on a sentence that begins with the key: `is not set`.
    pub fn problem(&self) -> &PublicText {
        &self.problem
    }

    /// The value that was found, for operators: quoted, cleaned and cut; `None` for secrets.
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// What to do about it.
    pub fn remedy(&self) -> &PublicText {
        &self.remedy
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", key_word(&self.key), self.problem)?;
        if let Some(found) = &self.found {
            write!(f, " (found {found})")?;
        }
        let stop = if self.found.is_none() && self.problem.as_str().ends_with('?') {
            ""
        } else {
            "."
        };
        write!(f, "{stop} Remedy: {}.", self.remedy)
    }
}
