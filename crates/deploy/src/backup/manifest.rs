//! What a backup says about itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::PREFIX;
use crate::{
    clock::Timestamp,
    halt::{Halt, Result},
    store::{Store, StoreError},
};

/// A backup, and all that is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name, which is the time it was made.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// The release that it was made for, if one was about to be deployed.
    pub release: Option<u64>,
    /// The version of the database.
    pub server_version: String,
    /// The version of the program that dumped it.
    pub tool_version: String,
    /// Its files.
    pub files: Vec<BackupFile>,
    /// The rows of each table, counted in the very snapshot that was dumped.
    pub rows: BTreeMap<String, u64>,
    /// When it was restored and found equal, if it was.
    pub proven: Option<Timestamp>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Its name in the volume of backups.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// What the dumping program says.
#[derive(Debug, Deserialize)]
pub(super) struct DumpFacts {
    server_version: String,
    tool_version: String,
    files: Vec<BackupFile>,
    rows: BTreeMap<String, u64>,
}

/// What the program that restored it says.
#[derive(Debug, Deserialize)]
pub(super) struct Proof {
    files: Vec<BackupFile>,
    rows: BTreeMap<String, u64>,
}

/// A dump of nothing at all is larger.
const SMALLEST_DUMP: u64 = 512;

// === impl Manifest ===

impl Manifest {
    /// The size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// What the live database would lose or gain if this backup were restored, a line for each
    /// table that differs.
    pub fn compared_with(&self, live: &BTreeMap<String, u64>) -> Vec<String> {
        let tables: BTreeSet<&String> = self.rows.keys().chain(live.keys()).collect();
        let difference = |table: &String| {
            let (then, now) = (self.rows.get(table), live.get(table));
            let in_words = |rows: Option<&u64>| {
                rows.map_or_else(|| "no such table".to_owned(), |rows| format!("{rows} rows"))
            };
            (then != now)
                .then(|| format!("{table}: {} then, {} now", in_words(then), in_words(now)))
        };
        tables.into_iter().filter_map(difference).collect()
    }

    pub(super) fn differences(&self, proof: &Proof) -> Vec<String> {
        let mut differences = self.compared_with(&proof.rows);
        for file in &self.files {
            if !proof.files.contains(file) {
                differences.push(format!("{} is not what was written", file.name));
            }
        }
        differences
    }

    pub(super) async fn write(&self, store: &dyn Store) -> std::result::Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        store.write(&self.document(), &bytes).await
    }

    pub(super) fn document(&self) -> String {
        format!("{PREFIX}{}.json", self.id)
    }
}

// === impl DumpFacts ===

impl DumpFacts {
    pub(super) fn into_manifest(
        self,
        id: String,
        at: Timestamp,
        release: Option<u64>,
    ) -> Result<Manifest> {
        let dump = self
            .files
            .iter()
            .find(|file| file.name.rsplit('.').next() == Some("dump"));
        if dump.is_none_or(|dump| dump.bytes < SMALLEST_DUMP) {
            return Err(Halt::new(
                "backup_empty",
                "the dump has next to nothing in it",
                "see that the engine's disk is not full; nothing was changed",
            ));
        }
        Ok(Manifest {
            id,
            at,
            release,
            server_version: self.server_version,
            tool_version: self.tool_version,
            files: self.files,
            rows: self.rows,
            proven: None,
        })
    }
}
