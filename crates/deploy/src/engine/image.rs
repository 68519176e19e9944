//! Images, and how one is built.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// The digest of an image's content: what is meant when a name could be moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(String);

/// An image of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its content.
    pub id: ImageId,
    /// Its names.
    pub references: Vec<String>,
    /// Its size on the disk.
    pub size_bytes: u64,
}

/// How to build an image. No secret goes in: arguments stay readable in the image's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildSpec {
    /// The name to give it.
    pub reference: String,
    /// The folder that is sent to the engine.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context.
    pub dockerfile: PathBuf,
    /// Build arguments.
    pub arguments: BTreeMap<String, String>,
    /// Labels, as the revision.
    pub labels: BTreeMap<String, String>,
    /// Whether to build from nothing.
    pub no_cache: bool,
}

// === impl ImageId ===

impl ImageId {
    /// An identity as the engine writes it, `sha256:…`.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identity as the engine writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
