//! What is wanted, and how.

mod source;

use std::{path::PathBuf, time::Duration};

use crate::{
    definition::Definition, environment::Environment, migration::Migration, phase::Deadlines,
    secret::Scrubber,
};

pub use self::source::{Source, SourceError};

/// What is to be deployed.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The commit.
    pub commit: String,
    /// The content of the tree that is built; another tree is another release.
    pub tree: String,
    /// Files that are not committed.
    pub uncommitted: Vec<String>,
    /// The migrations in the tree.
    pub migrations: Vec<Migration>,
    /// The containers.
    pub definition: Definition,
    /// The environment.
    pub environment: Environment,
    /// The folder that the image is built from.
    pub context: PathBuf,
    /// The Dockerfile in it.
    pub dockerfile: PathBuf,
    /// The name that the service is reached by, if it has one.
    pub domain: Option<String>,
}

/// How it is to be deployed.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Options {
    /// Skip the proof of the backup and the cold build.
    pub quick: bool,
    /// Build from nothing.
    pub no_cache: bool,
    /// Deploy files that are not committed.
    pub allow_dirty: bool,
    /// Apply migrations that take away.
    pub allow_contract: bool,
    /// How long each phase may take.
    pub deadlines: Deadlines,
    /// How long the old release may go on with what it has begun.
    pub drain: Duration,
    /// How many backups are kept.
    pub keep_backups: usize,
    /// What must be free on the engine's disk.
    pub disk_needed_bytes: u64,
    /// What memory the engine's machine must have.
    pub memory_needed_bytes: u64,
    /// How far the engine's clock may be from ours.
    pub clock_skew: Duration,
    /// How long a lease lasts unless it is renewed.
    pub lease: Duration,
}

// === impl Desired ===

impl Desired {
    /// Knows the secrets of the environment: the values that the definition hands out as such.
    pub fn scrubber(&self) -> Scrubber {
        Scrubber::new(self.definition.secret_values(&self.environment))
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            quick: false,
            no_cache: false,
            allow_dirty: false,
            allow_contract: false,
            deadlines: Deadlines::default(),
            drain: Duration::from_secs(90),
            keep_backups: 7,
            disk_needed_bytes: 3 << 30,
            memory_needed_bytes: 1 << 30,
            clock_skew: Duration::from_secs(5),
            lease: Duration::from_secs(60),
        }
    }
}
