//! What was applied to a database before.

use refinery::Migration;
use tokio_postgres::Client;

use super::MigrateError;

/// A migration that stands in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number.
    pub version: u32,
    /// Its name, as in `expand_orders`.
    pub name: String,
}

/// All that stands in a database, in order, with refinery's checksums.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<(AppliedMigration, String)>);

// === impl AppliedMigration ===

impl AppliedMigration {
    /// Whether a program that does not know it can run all the same.
    pub fn only_expands(&self) -> bool {
        self.name.starts_with("expand_")
    }
}

impl std::fmt::Display for AppliedMigration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "V{}__{}", self.version, self.name)
    }
}

// === impl History ===

impl History {
    /// Reads refinery's table; an empty history where there is none.
    pub(crate) async fn read(client: &Client) -> Result<Self, MigrateError> {
        let exists = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
        let row = client.query_one(exists, &[]).await;
        if !row.map_err(MigrateError::State)?.get::<_, bool>(0) {
            return Ok(Self::default());
        }
        let select = "SELECT version, coalesce(name, ''), coalesce(checksum, '')
                      FROM refinery_schema_history ORDER BY version";
        let rows = client.query(select, &[]).await;
        let read = |row: tokio_postgres::Row| {
            let version = u32::try_from(row.get::<_, i32>(0)).unwrap_or_default();
            let name = row.get(1);
            (AppliedMigration { version, name }, row.get(2))
        };
        let rows = rows.map_err(MigrateError::State)?;
        Ok(Self(rows.into_iter().map(read).collect()))
    }

    /// The number of the newest; 0 where nothing was applied.
    pub(crate) fn current(&self) -> u32 {
        self.0.last().map_or(0, |(applied, _)| applied.version)
    }

    /// Those that `known` does not reach.
    pub(crate) fn newer_than(&self, known: &[Migration]) -> Vec<AppliedMigration> {
        let latest = known.iter().map(number).max().unwrap_or(0);
        let applied = self.0.iter().map(|(applied, _)| applied);
        applied.filter(|it| it.version > latest).cloned().collect()
    }

    /// Compares what was applied with what is known, and gives what is still to be applied.
    pub(crate) fn pending(&self, known: &[Migration]) -> Result<Vec<Migration>, MigrateError> {
        let mut pending = Vec::new();
        for migration in known {
            let applied = self
                .0
                .iter()
                .find(|(it, _)| it.version == number(migration));
            match applied {
                Some((applied, checksum)) => {
                    let same = applied.name == migration.name()
                        && *checksum == migration.checksum().to_string();
                    if !same {
                        return Err(MigrateError::Changed {
                            migration: migration.to_string(),
                            applied: applied.to_string(),
                        });
                    }
                }
                None if number(migration) < self.current() => {
                    return Err(MigrateError::Unapplied {
                        migration: migration.to_string(),
                    });
                }
                None => pending.push(migration.clone()),
            }
        }
        Ok(pending)
    }
}

fn number(migration: &Migration) -> u32 {
    u32::try_from(migration.version()).unwrap_or_default()
}
