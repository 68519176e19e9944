//! What a deployment did and was about to do, line by line, so that the next one can go on from
//! there.
//!
//! A line is written, and on the disk, before the thing is done. Each carries a checksum over
//! itself and the line before. A last line that was torn by a sudden end is as if it had not been
//! written; any other that does not fit stops everything, since nobody knows what is missing.

mod lines;
mod record;
mod standing;

pub use self::{
    lines::JournalError,
    record::{Kind, Record, Verdict},
    standing::{Standing, Unfinished},
};

use crate::store::{Store, StoreError};

/// The journal of the deployment that is under way, or was the last.
pub struct Journal<'a> {
    store: &'a dyn Store,
    records: Vec<Record>,
    last: String,
    /// Whether a line could not be written, and a part of it may have been.
    torn: bool,
}

/// The document that holds it.
const NAME: &str = "journal";

// === impl Journal ===

impl<'a> Journal<'a> {
    /// Reads the journal; a torn last line is cut off.
    ///
    /// # Errors
    /// If the store fails, or a line does not fit the one before.
    pub async fn open(store: &'a dyn Store) -> Result<Self, JournalError> {
        let bytes = store.read(NAME).await?.unwrap_or_default();
        let read = lines::read(&bytes)?;
        if read.valid_bytes < bytes.len() {
            // What is added next must not be glued to half a line.
            store.write(NAME, &bytes[..read.valid_bytes]).await?;
        }
        Ok(Self {
            store,
            records: read.records,
            last: read.last,
            torn: false,
        })
    }

    /// What was not finished, if anything.
    pub fn unfinished(&self) -> Option<Unfinished> {
        standing::unfinished(&self.records)
    }

    /// All records of the deployment that is under way, or was the last.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Begins a new deployment: the journal of the one before is no longer needed.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin(&mut self, record: Record) -> Result<(), StoreError> {
        let (line, checksum) = lines::line("", &record);
        self.store.write(NAME, line.as_bytes()).await?;
        self.records = vec![record];
        self.last = checksum;
        self.torn = false;
        Ok(())
    }

    /// Writes what was done or is about to be.
    ///
    /// # Errors
    /// If the store fails; the thing must not be done then.
    pub async fn write(&mut self, record: Record) -> Result<(), StoreError> {
        let (line, checksum) = lines::line(&self.last, &record);
        if self.torn {
            // Half a line, as a full disk leaves it, must not have another one after it.
            let mut all = lines::written(&self.records);
            all.push_str(&line);
            self.store.write(NAME, all.as_bytes()).await?;
            self.torn = false;
        } else {
            self.torn = true;
            self.store.append(NAME, line.as_bytes()).await?;
            self.torn = false;
        }
        self.records.push(record);
        self.last = checksum;
        Ok(())
    }
}
