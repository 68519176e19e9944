//! What makes a revision: the tree, the environment and the definition, as keyed hashes.
//!
//! The key stays with the state. Whoever reads a fingerprint without it cannot try values until
//! one fits.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{definition::Service, environment::Environment};

/// Keys the hashes of one installation.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

/// What a revision is made of, told apart so that a plan can say what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The tree that was built.
    pub tree: String,
    /// A keyed hash of each value of the environment.
    pub environment: BTreeMap<String, String>,
    /// A keyed hash of the service's definition.
    pub definition: String,
    /// All of it in one.
    pub revision: String,
}

/// Characters of a hash that stand for one value: enough to tell a change.
const SHORT: usize = 16;

// === impl FingerprintKey ===

impl FingerprintKey {
    /// The length of a key.
    pub const LENGTH: usize = 32;

    /// From stored bytes; none if there are too few or too many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// From new bytes.
    pub const fn from_array(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The fingerprint of what is to be deployed.
    /// The environment is the one that the service will see; it is told apart from the rest of
    /// its definition.
    pub fn fingerprint(
        &self,
        tree: &str,
        environment: &Environment,
        server: &Service,
    ) -> Fingerprint {
        let environment: BTreeMap<String, String> = environment
            .iter()
            .map(|(key, value)| {
                let mac = self.mac(&["value", key, value.expose_secret()]);
                (key.to_owned(), mac[..SHORT].to_owned())
            })
            .collect();
        let rest = Service {
            environment: BTreeMap::new(),
            ..server.clone()
        };
        let written = serde_json::to_string(&rest).unwrap_or_default();
        let definition = self.mac(&["definition", &written])[..SHORT].to_owned();
        let mut parts = vec!["revision", tree, &definition];
        for (key, mac) in &environment {
            parts.extend([key.as_str(), mac.as_str()]);
        }
        let revision = self.mac(&parts);
        Fingerprint {
            tree: tree.to_owned(),
            environment,
            definition,
            revision,
        }
    }

    /// Each part goes in with its length, so that no two lists of parts read the same.
    fn mac(&self, parts: &[&str]) -> String {
        let mut keyed =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        for part in parts {
            keyed.update(&(part.len() as u64).to_be_bytes());
            keyed.update(part.as_bytes());
        }
        hexadecimal(&keyed.finalize().into_bytes())
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// What is different from an earlier one, each in a few words.
    pub fn changes_since(&self, earlier: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.tree != earlier.tree {
            changes.push(format!(
                "the source changed from {} to {}",
                short(&earlier.tree),
                short(&self.tree)
            ));
        }
        for (key, mac) in &self.environment {
            match earlier.environment.get(key) {
                None => changes.push(format!("{key} is new")),
                Some(before) if before != mac => changes.push(format!("{key} changed")),
                Some(_) => {}
            }
        }
        for key in earlier.environment.keys() {
            if !self.environment.contains_key(key) {
                changes.push(format!("{key} is gone"));
            }
        }
        if self.definition != earlier.definition {
            changes.push("the definition of the service changed".into());
        }
        changes
    }
}

/// The beginning of a hash, as people write it.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Bytes as people write hashes.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> FingerprintKey {
        FingerprintKey([byte; 32])
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    #[test]
    fn an_edited_environment_is_another_revision_and_told_by_its_key() {
        let server = Service::default();
        let before = key(1).fingerprint("t", &environment(&[("A", "1"), ("B", "1")]), &server);
        let after = key(1).fingerprint("t", &environment(&[("A", "2"), ("C", "1")]), &server);
        assert_ne!(before.revision, after.revision);
        assert_eq!(
            after.changes_since(&before),
            ["A changed", "C is new", "B is gone"]
        );
    }

    #[test]
    fn a_changed_definition_is_another_revision() {
        let (before, mut changed) = (Service::default(), Service::default());
        changed.read_only = true;
        let environment = environment(&[]);
        let before = key(1).fingerprint("t", &environment, &before);
        let after = key(1).fingerprint("t", &environment, &changed);
        assert_eq!(
            after.changes_since(&before),
            ["the definition of the service changed"]
        );
        assert_ne!(before.revision, after.revision);
    }

    #[test]
    fn without_the_key_a_value_cannot_be_recognised() {
        let environment = environment(&[("PIN", "1234")]);
        let one = key(1).fingerprint("t", &environment, &Service::default());
        let other = key(2).fingerprint("t", &environment, &Service::default());
        assert_ne!(one.environment, other.environment);
        let again = key(1).fingerprint("t", &environment, &Service::default());
        assert_eq!(one, again);
    }

    #[test]
    fn moving_a_letter_between_parts_is_a_change() {
        assert_ne!(key(1).mac(&["ab", "c"]), key(1).mac(&["a", "bc"]));
    }
}
