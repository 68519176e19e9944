//! Why a migration did not happen.

use std::{error::Error as StdError, time::Duration};

use deadpool_postgres::PoolError;

/// Why the schema could not be brought up to date. Whether waiting helps: `Locked` may pass by
/// itself; `Changed` and `Unapplied` stay; for the others the driver's error in the chain tells.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// There is no connection to be had.
    #[error("no connection to the database")]
    Connect(#[source] PoolError),
    /// Somebody else has been migrating for too long.
    #[error("another migration holds the lock, after {} s of waiting", waited.as_secs())]
    Locked {
        /// How long it was waited for.
        waited: Duration,
        /// The server process that holds the lock, for `pg_stat_activity`.
        holder: Option<i32>,
    },
    /// The lock or the table of applied migrations could not be used.
    #[error("the state of the schema cannot be read")]
    State(#[source] tokio_postgres::Error),
    /// A migration that was applied is not the one that this program knows by that number.
    #[error("migration {migration} was changed after it was applied")]
    Changed {
        /// As this program knows it.
        migration: String,
        /// As it was applied.
        applied: String,
    },
    /// A migration was never applied, though a later one was.
    #[error("migration {migration} was never applied, but a later one was")]
    Unapplied {
        /// As this program knows it.
        migration: String,
    },
    /// A migration failed and was rolled back; those before it stay applied.
    #[error("migration {migration} failed and was rolled back")]
    Failed {
        /// Which one.
        migration: String,
        /// What the server said, by its code.
        sqlstate: Option<String>,
        /// The chain down to the server's words.
        #[source]
        source: refinery::Error,
    },
    /// The migrations built into this program are not valid.
    #[error("the migrations of this program are not valid")]
    Embedded(#[source] refinery::Error),
}

// === impl MigrateError ===

impl MigrateError {
    /// What the server said, by its code, where it said anything.
    pub fn sqlstate(&self) -> Option<&str> {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
                return error.code().map(tokio_postgres::error::SqlState::code);
            }
            cause = error.source();
        }
        None
    }
}
