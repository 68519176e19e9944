//! Releases: a revision that was deployed, with all that is needed to serve it again.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    engine::{ContainerSpec, ImageId},
    fingerprint::{Fingerprint, short},
    migration::Migration,
};

/// A revision that was put on the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Counts up; no two releases of an installation share one.
    pub number: u64,
    /// What it is made of.
    pub fingerprint: Fingerprint,
    /// The commit it was built from.
    pub commit: String,
    /// The image that is meant.
    pub image: ImageId,
    /// Its container, as it was made; there is no secret in it.
    pub container: ContainerSpec,
    /// The volume with its secrets.
    pub secrets_volume: String,
    /// The migrations that it knows.
    pub migrations: Vec<Migration>,
    /// The backup that was made before it.
    pub backup: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

// === impl Release ===

impl Release {
    /// The name of its container.
    pub fn name(&self) -> &str {
        &self.container.name
    }

    /// It in a few words, as in "release 7 (4f2a91c03b7d)".
    pub fn title(&self) -> String {
        format!("release {} ({})", self.number, short(&self.commit))
    }
}
