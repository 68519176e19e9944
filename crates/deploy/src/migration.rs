//! Migrations of the schema, and which of them leave a way back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A migration that a release knows, by the name of its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Migration {
    /// Its number.
    pub version: u32,
    /// Its name, without the number.
    pub name: String,
    /// What it does to releases that do not know it.
    pub kind: MigrationKind,
}

/// What a migration does to releases that do not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrationKind {
    /// It only adds: they run on.
    Expand,
    /// It takes away: they refuse to start.
    Contract,
}

/// A file that is no migration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} is not named V<number>__expand_<what>.sql or V<number>__contract_<what>.sql")]
pub struct NotAMigration {
    /// Its name.
    pub file: String,
}

// === impl Migration ===

impl Migration {
    /// Reads the name of a file: `V7__expand_stock.sql`.
    ///
    /// # Errors
    /// If it says neither expand nor contract, or has no number.
    pub fn from_file_name(file: &str) -> Result<Self, NotAMigration> {
        let read = || {
            let (number, name) = file
                .strip_prefix('V')?
                .strip_suffix(".sql")?
                .split_once("__")?;
            let kind = match name.split_once('_')?.0 {
                "expand" => MigrationKind::Expand,
                "contract" => MigrationKind::Contract,
                _ => return None,
            };
            Some(Self {
                version: number.parse().ok()?,
                name: name.to_owned(),
                kind,
            })
        };
        read().ok_or_else(|| NotAMigration {
            file: file.to_owned(),
        })
    }

    /// As it is written in plans.
    pub fn title(&self) -> String {
        format!("{} {}", self.version, self.name)
    }
}

/// The migrations in `newer` that `older` does not know.
pub fn unknown_to(older: &[Migration], newer: &[Migration]) -> Vec<Migration> {
    let known: BTreeSet<u32> = older.iter().map(|migration| migration.version).collect();
    newer
        .iter()
        .filter(|migration| !known.contains(&migration.version))
        .cloned()
        .collect()
}

/// Of these, the ones that take away.
pub fn contracting(migrations: &[Migration]) -> Vec<Migration> {
    migrations
        .iter()
        .filter(|migration| migration.kind == MigrationKind::Contract)
        .cloned()
        .collect()
}

/// The number of the newest migration, if there is any.
pub(crate) fn newest(migrations: &[Migration]) -> Option<u32> {
    migrations.iter().map(|migration| migration.version).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_the_kind() {
        let expand = Migration::from_file_name("V12__expand_stock.sql").unwrap();
        assert_eq!(
            (expand.version, expand.kind, expand.title()),
            (12, MigrationKind::Expand, "12 expand_stock".into())
        );
        let contract = Migration::from_file_name("V3__contract_old_names.sql").unwrap();
        assert_eq!(contract.kind, MigrationKind::Contract);
    }

    #[test]
    fn a_file_that_says_neither_is_refused() {
        for file in [
            "V1__add.sql",
            "V1_expand_x.sql",
            "Vx__expand_x.sql",
            "V1__expand_x",
            "1.sql",
        ] {
            assert!(Migration::from_file_name(file).is_err(), "{file}");
        }
    }

    #[test]
    fn what_an_older_release_does_not_know_is_found() {
        let files = ["V1__expand_a.sql", "V2__expand_b.sql", "V3__contract_c.sql"];
        let all = files.map(|file| Migration::from_file_name(file).unwrap());
        let unknown = unknown_to(&all[..1], &all);
        assert_eq!(unknown, all[1..]);
        assert_eq!(contracting(&unknown), all[2..]);
        assert_eq!(unknown_to(&all, &all[..1]), []);
    }
}
