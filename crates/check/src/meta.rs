//! What a check says of itself.

use std::{borrow::Cow, time::Duration};

use crate::Code;

/// When and by whom a check is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Asked before the process serves anything.
    Startup,
    /// Decides whether the process gets traffic.
    Readiness,
    /// Decides whether the process is restarted; must not depend on anything outside it.
    Liveness,
    /// Shown to operators only.
    Diagnostics,
}

/// A set of [`Group`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Groups(u8);

/// What a failure means for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// A failure makes the whole unhealthy.
    Critical,
    /// A failure degrades the whole, which still serves.
    Optional,
}

/// What one run of a check costs, which bounds how often it may run on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cost {
    /// No I/O: at most every 100 ms.
    Local,
    /// A few round trips to a dependency of ours: at most every second.
    Network,
    /// A call that somebody bills or rate-limits: at most once a minute.
    Metered,
}

/// What a check says of itself. Built with [`CheckMeta::new`] and the setters; judged by
/// [`CheckMeta::validate`] when it is registered.
#[derive(Clone, Debug)]
pub struct CheckMeta {
    name: Cow<'static, str>,
    groups: Groups,
    criticality: Criticality,
    timeout: Duration,
    period: Duration,
    cost: Cost,
    codes: &'static [Code],
}

/// Why a check's meta was refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidMeta {
    /// The name does not match `[a-z0-9_.-]{1,64}`.
    #[error("the check name {0:?} does not match [a-z0-9_.-]{{1,64}}")]
    Name(String),
    /// A check that is in no group would never run.
    #[error("the check {0:?} is in no group")]
    NoGroup(String),
    /// A check without time can only fail.
    #[error("the check {0:?} has a timeout of zero")]
    ZeroTimeout(String),
    /// The same code is declared twice.
    #[error("the check {0:?} declares the code {1:?} twice")]
    DuplicateCode(String, &'static str),
}

// === impl Groups ===

impl Groups {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// This set with `group` in it.
    pub const fn with(self, group: Group) -> Self {
        Self(self.0 | group.bit())
    }

    /// Whether `group` is in the set.
    pub const fn contains(self, group: Group) -> bool {
        self.0 & group.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl<const N: usize> From<[Group; N]> for Groups {
    fn from(groups: [Group; N]) -> Self {
        groups.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Group {
    const fn bit(self) -> u8 {
        match self {
            Self::Startup => 1,
            Self::Readiness => 2,
            Self::Liveness => 4,
            Self::Diagnostics => 8,
        }
    }
}

// === impl Cost ===

impl Cost {
    /// The shortest period at which a check of this cost may run on its own.
    pub const fn min_period(self) -> Duration {
        match self {
            Self::Local => Duration::from_millis(100),
            Self::Network => Duration::from_secs(1),
            Self::Metered => Duration::from_secs(60),
        }
    }
}

// === impl CheckMeta ===

impl CheckMeta {
    /// A critical check of startup, readiness and diagnostics with a timeout and a period of 5 s
    /// and the cost of a network round trip.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            groups: Groups::from([Group::Startup, Group::Readiness, Group::Diagnostics]),
            criticality: Criticality::Critical,
            timeout: Duration::from_secs(5),
            period: Duration::from_secs(5),
            cost: Cost::Network,
            codes: &[],
        }
    }

    /// Sets the groups.
    pub fn groups(mut self, groups: impl Into<Groups>) -> Self {
        self.groups = groups.into();
        self
    }

    /// Sets what a failure means for the whole.
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    /// Sets how long one run may take before its future is dropped.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the wished time between two runs in the background; see
    /// [`CheckMeta::effective_period`].
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// Sets what one run costs.
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Declares the closed list of codes that this check's findings may carry (besides `ok` and
    /// the runner's own).
    pub fn codes(mut self, codes: &'static [Code]) -> Self {
        self.codes = codes;
        self
    }

    /// The name, unique in a registry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups in which it is asked.
    pub fn in_groups(&self) -> Groups {
        self.groups
    }

    /// Whether it is asked in `group`.
    pub fn is_in(&self, group: Group) -> bool {
        self.groups.contains(group)
    }

    /// What a failure means for the whole.
    pub fn is_critical(&self) -> bool {
        self.criticality == Criticality::Critical
    }

    /// What a failure means for the whole.
    pub fn get_criticality(&self) -> Criticality {
        self.criticality
    }

    /// How long one run may take.
    pub fn get_timeout(&self) -> Duration {
        self.timeout
    }

    /// The time between two runs in the background: the wished period, or what the cost class
    /// demands where that is longer.
    pub fn effective_period(&self) -> Duration {
        self.period.max(self.cost.min_period())
    }

    /// What one run costs.
    pub fn get_cost(&self) -> Cost {
        self.cost
    }

    /// The declared codes.
    pub fn declared_codes(&self) -> &'static [Code] {
        self.codes
    }

    /// Judges name, groups, timeout and codes.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), InvalidMeta> {
        let name = || self.name.to_string();
        let legal = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(legal) {
            return Err(InvalidMeta::Name(name()));
        }
        if self.groups.is_empty() {
            return Err(InvalidMeta::NoGroup(name()));
        }
        if self.timeout.is_zero() {
            return Err(InvalidMeta::ZeroTimeout(name()));
        }
        for (index, code) in self.codes.iter().enumerate() {
            if self.codes[..index].contains(code) {
                return Err(InvalidMeta::DuplicateCode(name(), code.as_str()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern() {
        for good in [
            "a",
            "database",
            "database.schema",
            "a-b_c.9",
            &"x".repeat(64),
        ] {
            assert_eq!(CheckMeta::new(good.to_owned()).validate(), Ok(()), "{good}");
        }
        for bad in ["", "Database", "a b", "ä", "a/b", &"x".repeat(65)] {
            let verdict = CheckMeta::new(bad.to_owned()).validate();
            assert_eq!(verdict, Err(InvalidMeta::Name(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_check_needs_a_group_and_time() {
        assert!(CheckMeta::new("a").groups(Groups::NONE).validate().is_err());
        assert!(
            CheckMeta::new("a")
                .timeout(Duration::ZERO)
                .validate()
                .is_err()
        );
    }

    #[test]
    fn a_metered_check_never_runs_more_than_once_a_minute() {
        let meta = CheckMeta::new("a")
            .cost(Cost::Metered)
            .period(Duration::from_secs(1));
        assert_eq!(meta.effective_period(), Duration::from_secs(60));
        let meta = meta.period(Duration::from_secs(300));
        assert_eq!(meta.effective_period(), Duration::from_secs(300));
    }
}
