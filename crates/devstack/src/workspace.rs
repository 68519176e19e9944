//! Where the files of a clone live.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// A clone of this repository; everything made here lies under its `.tria`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The clone this crate was compiled in.
    pub fn current() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::at(here.ancestors().nth(2).unwrap_or(here))
    }

    /// A clone, or for tests any folder, at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of everything made here; it may be deleted when nothing runs.
    pub fn state(&self) -> PathBuf {
        self.root.join(".tria")
    }

    /// The data of `cargo xtask dev`.
    pub fn dev_data(&self) -> PathBuf {
        self.state().join("dev")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.state().join(name)
    }

    /// Stays the same for a clone that stays in its place, and differs between clones.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.root.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}
