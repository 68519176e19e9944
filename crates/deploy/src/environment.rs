//! The resolved environment of the service.

pub mod env_file;

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;

/// Keys and values, all of them held as secrets: which ones are is the definition's to say.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, SecretString>,
}

// === impl Environment ===

impl Environment {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&SecretString> {
        self.values.get(key)
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter();
        Self {
            values: pairs
                .map(|(key, value)| (key.into(), SecretString::from(value.into())))
                .collect(),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}
