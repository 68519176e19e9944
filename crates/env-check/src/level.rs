//! How much a broken rule matters.

/// What breaking a rule means, depending on whether the rules are strict (see
/// [`RulesBuilder::strict_when`](crate::RulesBuilder::strict_when)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A violation everywhere.
    Always,
    /// A violation where the rules are strict, a warning elsewhere.
    Strict,
    /// A violation where the rules are strict, nothing elsewhere.
    StrictOnly,
    /// A warning everywhere.
    Advice,
}

/// What a complaint means for the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The settings must not be used.
    Violation,
    /// The settings can be used, but somebody should look.
    Warning,
}

// === impl Level ===

impl Level {
    /// What breaking a rule of this level means; `None` where it does not apply.
    pub fn severity(self, strict: bool) -> Option<Severity> {
        match (self, strict) {
            (Self::Always, _) | (Self::Strict | Self::StrictOnly, true) => {
                Some(Severity::Violation)
            }
            (Self::Strict, false) | (Self::Advice, _) => Some(Severity::Warning),
            (Self::StrictOnly, false) => None,
        }
    }
}

// === impl Severity ===

impl Severity {
    /// Whether it weighs as much as `other`, or more.
    pub(crate) fn is_at_least(self, other: Self) -> bool {
        self == Self::Violation || other == Self::Warning
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Severity};

    #[test]
    fn every_level_is_weighed_in_both_modes() {
        let table = [
            (
                Level::Always,
                Some(Severity::Violation),
                Some(Severity::Violation),
            ),
            (
                Level::Strict,
                Some(Severity::Violation),
                Some(Severity::Warning),
            ),
            (Level::StrictOnly, Some(Severity::Violation), None),
            (
                Level::Advice,
                Some(Severity::Warning),
                Some(Severity::Warning),
            ),
        ];
        for (level, strict, lax) in table {
            assert_eq!((level.severity(true), level.severity(false)), (strict, lax));
        }
    }
}
