//! The migrations, built in.

use refinery::Migration;

/// The number of the newest migration.
#[allow(clippy::cast_possible_truncation)] // There is one file for each.
pub const LATEST: u32 = FILES.len() as u32;

/// Listed by hand rather than gathered by a macro: a new file is then a change that the compiler
/// sees, and a test compares the list with the folder.
const FILES: &[(&str, &str)] = &[
    (
        "V1__expand_catalogue",
        include_str!("../../migrations/V1__expand_catalogue.sql"),
    ),
    (
        "V2__expand_conversations",
        include_str!("../../migrations/V2__expand_conversations.sql"),
    ),
    (
        "V3__expand_orders",
        include_str!("../../migrations/V3__expand_orders.sql"),
    ),
    (
        "V4__expand_fulfilment",
        include_str!("../../migrations/V4__expand_fulfilment.sql"),
    ),
    (
        "V5__expand_interaction_summaries",
        include_str!("../../migrations/V5__expand_interaction_summaries.sql"),
    ),
    (
        "V6__expand_turns",
        include_str!("../../migrations/V6__expand_turns.sql"),
    ),
];

/// The migrations in their order.
pub(crate) fn all() -> Result<Vec<Migration>, refinery::Error> {
    FILES
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn the_list_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let found: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed = FILES.iter().map(|(name, _)| format!("{name}.sql"));
        assert_eq!(found, listed.collect());
    }

    #[test]
    fn numbers_run_from_one_and_names_say_what_they_do_to_others() {
        for (number, migration) in (1..).zip(all().unwrap()) {
            assert_eq!(migration.version(), number);
            let name = migration.name();
            assert!(
                name.starts_with("expand_") || name.starts_with("contract_"),
                "{name}"
            );
        }
    }

    /// An expanding migration that takes something away would break the version that still runs.
    #[test]
    fn an_expand_takes_nothing_away() {
        for migration in all().unwrap() {
            if !migration.name().starts_with("expand_") {
                continue;
            }
            let sql = migration.sql().unwrap().to_uppercase();
            for word in [
                "DROP ",
                "RENAME ",
                "TRUNCATE ",
                "DELETE FROM",
                "ALTER COLUMN",
            ] {
                assert!(!sql.contains(word), "{migration} has {word}");
            }
        }
    }
}
