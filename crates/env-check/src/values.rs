//! The values of the known keys.

use std::{collections::BTreeMap, fmt};

/// The values of the known keys that are set and not empty, secrets from files included.
/// Conditions judge by it, and a binary may read its settings from it.
#[derive(Clone, Default)]
pub struct Values {
    set: BTreeMap<String, String>,
    defaults: BTreeMap<String, &'static str>,
}

// === impl Values ===

impl Values {
    pub(crate) fn new(
        set: BTreeMap<String, String>,
        defaults: BTreeMap<String, &'static str>,
    ) -> Self {
        Self { set, defaults }
    }

    /// The value of a key that is set and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key).map(String::as_str)
    }

    /// The value of a key, or its default.
    pub fn get_or_default(&self, key: &str) -> Option<&str> {
        self.get(key).or_else(|| self.defaults.get(key).copied())
    }

    /// Whether a key is set and not empty.
    pub fn is_set(&self, key: &str) -> bool {
        self.set.contains_key(key)
    }

    /// How many keys are set.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The keys that are set with their values, **secrets included**, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Values {
    /// Names the keys, says nothing of the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Values")
            .field(&self.set.keys().collect::<Vec<_>>())
            .finish()
    }
}
