//! Locks in PostgreSQL that belong to a connection, and go with it.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

/// Why a lock was not taken.
pub(crate) enum LockError {
    /// It could not be asked for.
    Database(tokio_postgres::Error),
    /// Somebody else has it.
    Held {
        /// How long it was waited for.
        waited: Duration,
    },
}

/// How often it is asked for. Asked again and again, instead of waited for in the server: a waiting
/// query would hold a snapshot, and would outlive a client that has gone.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);

/// Takes the lock for the connection.
pub(crate) async fn take(client: &Client, key: i64, patience: Duration) -> Result<(), LockError> {
    let begun = Instant::now();
    loop {
        let asked = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&key])
            .await;
        if asked.map_err(LockError::Database)?.get(0) {
            return Ok(());
        }
        let waited = begun.elapsed();
        if waited >= patience {
            return Err(LockError::Held { waited });
        }
        sleep(PERIOD).await;
    }
}
