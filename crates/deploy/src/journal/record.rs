//! The lines of a journal.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, release::Release};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A deployment begins.
    Begun {
        /// Whether it goes forth or back.
        kind: Kind,
        /// The number of the release that it makes, or goes back to.
        number: u64,
        /// The release that serves now.
        from: Option<Box<Release>>,
        /// When.
        at: Timestamp,
    },
    /// A command that runs once is about to be started.
    OneShot {
        /// Its container.
        container: String,
    },
    /// The new release is about to be made.
    Candidate {
        /// It.
        release: Box<Release>,
    },
    /// A restore is about to take the service away.
    Restoring {
        /// Which backup.
        backup: String,
    },
    /// The restore is complete.
    Restored,
    /// The traffic is about to be sent to the new release. From here on nothing of it is deleted.
    Switching,
    /// The traffic goes to the new release.
    Switched,
    /// The new release passed its tests through the front door: it is the one that serves.
    Verified,
    /// The traffic is about to be sent back.
    SwitchingBack {
        /// Why.
        reason: String,
    },
    /// The traffic goes to the old release again.
    SwitchedBack,
    /// It is over, and nothing is left to be done.
    Finished {
        /// How.
        verdict: Verdict,
        /// When.
        at: Timestamp,
    },
}

/// Which way a deployment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// To a new release.
    Deploy,
    /// To one that served before.
    Rollback,
    /// Nowhere: a backup takes the place of the database.
    Restore,
}

/// How a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The new release serves.
    Done,
    /// It failed before the switch; the old one never noticed.
    Undone,
    /// It failed after the switch; the old one serves again.
    RolledBack,
    /// The new one serves, and something is not as it should be.
    Degraded,
}
