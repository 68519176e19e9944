//! Brings a database up to date, one server at a time.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool};
use refinery::{Migration, Runner};

use super::{AppliedMigration, MigrateError, applied::History, migrations};
use crate::advisory_lock::{self, LockError};

/// The PostgreSQL advisory lock under which migrations run: the bytes of `triamigr`. Advisory
/// locks are kept per database, so servers of different databases do not meet.
pub const LOCK_KEY: i64 = i64::from_be_bytes(*b"triamigr");

/// How patient a migration is.
#[derive(Clone, Copy, Debug)]
pub struct MigrateOptions {
    /// How long to wait for another server that is migrating.
    pub lock_wait: Duration,
    /// How long one statement may wait for a table that somebody uses. While it waits, all who
    /// come after it wait too; so rather give up and try again.
    pub table_wait: Duration,
}

/// What a migration did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// What was applied now, in order.
    pub applied: Vec<AppliedMigration>,
    /// The number of the newest migration in the database.
    pub current: u32,
    /// Migrations in the database that this program does not know; they were left alone.
    pub newer: Vec<AppliedMigration>,
}

/// Applies what is missing, each migration in a transaction of its own, under an advisory lock
/// ([`LOCK_KEY`]): of two servers that start at once one migrates, and the other waits and then
/// finds nothing to do. A database that is up to date is not locked.
///
/// It works on a connection of its own, taken out of the pool. Dropping the future closes it:
/// the server rolls back what was under way and frees the lock. The lock belongs to the
/// connection, so the pool must not lead through a pooler that shares connections per
/// transaction.
///
/// A schema that is newer than this program is left alone and reported.
///
/// # Errors
/// No connection, the lock stays taken, an applied migration was changed or left out, or one
/// fails; see [`MigrateError`].
pub async fn migrate(
    pool: &Pool,
    options: MigrateOptions,
) -> Result<MigrationReport, MigrateError> {
    let known = migrations::all().map_err(MigrateError::Embedded)?;
    run(pool, &known, options).await
}

/// How soon a server notices that the client is gone while a statement runs (PostgreSQL 14 and
/// newer on Linux; elsewhere it is not set, and the statement runs to its end first).
const NOTICE_GONE: &str = "
DO $$ BEGIN
    PERFORM set_config('client_connection_check_interval', '500ms', false);
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;";

// === impl MigrateOptions ===

impl Default for MigrateOptions {
    /// 30 s for another server, 5 s for a table.
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(30),
            table_wait: Duration::from_secs(5),
        }
    }
}

// === impl MigrationReport ===

impl MigrationReport {
    /// Whether this program can run on the schema: all that is newer only adds.
    pub fn is_compatible(&self) -> bool {
        self.newer.iter().all(AppliedMigration::only_expands)
    }
}

pub(super) async fn run(
    pool: &Pool,
    known: &[Migration],
    options: MigrateOptions,
) -> Result<MigrationReport, MigrateError> {
    let pooled = pool.get().await.map_err(MigrateError::Connect)?;
    // A history only grows, so one that is complete needs no lock.
    let history = History::read(&pooled).await?;
    if history.pending(known)?.is_empty() {
        return Ok(report(&history, known, Vec::new()));
    }

    let mut client = Object::take(pooled);
    prepare(&client, options).await?;
    lock(&client, options.lock_wait).await?;
    let history = History::read(&client).await?;
    let pending = history.pending(known)?;
    let applied = apply(&mut client, known, &pending).await?;
    let history = History::read(&client).await?;
    unlock(&client).await?;
    Ok(report(&history, known, applied))
}

fn report(
    history: &History,
    known: &[Migration],
    applied: Vec<AppliedMigration>,
) -> MigrationReport {
    MigrationReport {
        applied,
        current: history.current(),
        newer: history.newer_than(known),
    }
}

async fn prepare(client: &ClientWrapper, options: MigrateOptions) -> Result<(), MigrateError> {
    let wait = options.table_wait.as_millis().max(1);
    let settings = format!("{NOTICE_GONE} SET lock_timeout = {wait}; SET statement_timeout = 0");
    let set = client.batch_execute(&settings).await;
    set.map_err(MigrateError::State)
}

async fn lock(client: &ClientWrapper, patience: Duration) -> Result<(), MigrateError> {
    match advisory_lock::take(client, LOCK_KEY, patience).await {
        Ok(()) => Ok(()),
        Err(LockError::Database(error)) => Err(MigrateError::State(error)),
        Err(LockError::Held { waited }) => {
            let holder = holder(client).await?;
            Err(MigrateError::Locked { waited, holder })
        }
    }
}

async fn holder(client: &ClientWrapper) -> Result<Option<i32>, MigrateError> {
    let query = "
SELECT pid FROM pg_locks
 WHERE locktype = 'advisory' AND granted AND objsubid = 1
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (classid::bigint << 32 | objid::bigint) = $1";
    let row = client.query_opt(query, &[&LOCK_KEY]).await;
    Ok(row.map_err(MigrateError::State)?.map(|row| row.get(0)))
}

async fn unlock(client: &ClientWrapper) -> Result<(), MigrateError> {
    let freed = client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK_KEY]);
    freed.await.map(|_| ()).map_err(MigrateError::State)
}

async fn apply(
    client: &mut ClientWrapper,
    known: &[Migration],
    pending: &[Migration],
) -> Result<Vec<AppliedMigration>, MigrateError> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let run = Runner::new(known).run_async(&mut **client).await;
    let report = match run {
        Ok(report) => report,
        Err(source) => return Err(failed(source, pending)),
    };
    let applied = report.applied_migrations().iter().map(|migration| {
        tracing::info!(%migration, "migration applied");
        AppliedMigration {
            version: u32::try_from(migration.version()).unwrap_or_default(),
            name: migration.name().to_owned(),
        }
    });
    Ok(applied.collect())
}

fn failed(source: refinery::Error, pending: &[Migration]) -> MigrateError {
    let done = source
        .report()
        .map_or(0, |report| report.applied_migrations().len());
    let failed = pending.get(done).or(pending.last());
    let mut error = MigrateError::Failed {
        migration: failed.map(ToString::to_string).unwrap_or_default(),
        sqlstate: None,
        source,
    };
    let state = error.sqlstate().map(str::to_owned);
    if let MigrateError::Failed { sqlstate, .. } = &mut error {
        *sqlstate = state;
    }
    error
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
