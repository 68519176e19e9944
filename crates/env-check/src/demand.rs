//! Whether a key must be set.

use std::{fmt, sync::Arc};

use crate::{Level, Severity, Values};

/// Decides by the other values whether a rule applies.
#[derive(Clone)]
pub(crate) struct Condition(Arc<dyn Fn(&Values) -> bool + Send + Sync>);

/// What it means that a key is not set.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    level: Level,
    when: Option<Condition>,
}

// === impl Condition ===

impl Condition {
    pub(crate) fn new(holds: impl Fn(&Values) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    pub(crate) fn holds(&self, values: &Values) -> bool {
        (self.0)(values)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition")
    }
}

// === impl Demand ===

impl Demand {
    pub(crate) fn new(level: Level, when: Option<Condition>) -> Self {
        Self { level, when }
    }

    /// What it means that the key is not set.
    pub(crate) fn severity(&self, values: &Values, strict: bool) -> Option<Severity> {
        let applies = self.when.as_ref().is_none_or(|when| when.holds(values));
        applies.then(|| self.level.severity(strict)).flatten()
    }

    /// The demand in a word, for a template.
    pub(crate) fn label(&self) -> &'static str {
        match (&self.when, self.level) {
            (Some(_), _) => "Required in some cases",
            (None, Level::Always) => "Required",
            (None, Level::Strict | Level::StrictOnly) => "Required in production",
            (None, Level::Advice) => "Recommended",
        }
    }

    pub(crate) fn is_unconditional(&self) -> bool {
        self.when.is_none() && self.level == Level::Always
    }
}
