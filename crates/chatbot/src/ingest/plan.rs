//! What is to be done to a collection.

use std::collections::HashMap;

use tria_chroma::StoredRecord;

use super::{
    IngestError,
    texts::{HASH, MODEL, Text},
};

/// What is to be done to a collection.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is embedded and written: new, or changed.
    pub(super) stale: Vec<Text>,
    /// How many records stay as they are.
    pub(super) unchanged: usize,
    /// The ids of the records that go.
    pub(super) gone: Vec<String>,
}

// === impl Plan ===

impl Plan {
    /// Compares what is wanted with what is stored.
    ///
    /// # Errors
    /// [`IngestError::OtherModel`] if a record was embedded by another one. A record that notes
    /// no model was not written here, and is as good as none.
    pub(super) fn of(
        collection: &str,
        wanted: Vec<Text>,
        stored: Vec<StoredRecord>,
        model: &str,
    ) -> Result<Self, IngestError> {
        let other = stored
            .iter()
            .filter_map(|record| note(record, MODEL))
            .find(|noted| *noted != model);
        if let Some(other) = other {
            return Err(IngestError::OtherModel {
                collection: collection.to_owned(),
                stored: other.to_owned(),
                given: model.to_owned(),
            });
        }
        let mut stored: HashMap<String, StoredRecord> = stored
            .into_iter()
            .map(|record| (record.id.clone(), record))
            .collect();
        let all = wanted.len();
        let mut stale = wanted;
        stale.retain(|text| {
            let record = stored.remove(text.id());
            let same = |record: StoredRecord| {
                note(&record, HASH) == Some(text.hash()) && note(&record, MODEL).is_some()
            };
            !record.is_some_and(same)
        });
        let mut gone: Vec<String> = stored.into_keys().collect();
        gone.sort_unstable();
        Ok(Self {
            unchanged: all - stale.len(),
            stale,
            gone,
        })
    }
}

fn note<'a>(record: &'a StoredRecord, name: &str) -> Option<&'a str> {
    record.metadata.as_ref()?.get(name)?.as_str()
}
