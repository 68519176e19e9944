//! How records are written as lines, and read back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Record;
use crate::{fingerprint::hexadecimal, store::StoreError};

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The store failed.
    #[error("the journal cannot be read")]
    Store(#[from] StoreError),
    /// A line that is not the last does not fit the one before it.
    #[error("line {line} of the journal is damaged")]
    Damaged {
        /// From 1.
        line: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct Line<R> {
    sum: String,
    #[serde(flatten)]
    record: R,
}

/// What was read.
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    /// The checksum of the last line.
    pub(super) last: String,
    /// How many bytes of it are sound.
    pub(super) valid_bytes: usize,
}

/// A record as a line, and its checksum.
pub(super) fn line(before: &str, record: &Record) -> (String, String) {
    let sum = checksum(before, record);
    let line = Line {
        sum: sum.clone(),
        record,
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    (text, sum)
}

/// All records as lines.
pub(super) fn written(records: &[Record]) -> String {
    let mut all = String::new();
    let mut last = String::new();
    for record in records {
        let (text, sum) = line(&last, record);
        all.push_str(&text);
        last = sum;
    }
    all
}

pub(super) fn read(bytes: &[u8]) -> Result<Read, JournalError> {
    let mut read = Read {
        records: Vec::new(),
        last: String::new(),
        valid_bytes: 0,
    };
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (index, bytes) in lines.iter().enumerate() {
        let Some(line) = sound(&read.last, bytes) else {
            let is_last = index + 1 == lines.len();
            if is_last {
                break;
            }
            return Err(JournalError::Damaged { line: index + 1 });
        };
        read.valid_bytes += bytes.len();
        read.last = line.sum;
        read.records.push(line.record);
    }
    Ok(read)
}

fn sound(before: &str, bytes: &[u8]) -> Option<Line<Record>> {
    let bytes = bytes.strip_suffix(b"\n")?;
    let line: Line<Record> = serde_json::from_slice(bytes).ok()?;
    (checksum(before, &line.record) == line.sum).then_some(line)
}

fn checksum(before: &str, record: &Record) -> String {
    let written = serde_json::to_vec(record).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(b"\n");
    hash.update(written);
    hexadecimal(&hash.finalize())[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        journal::{Kind, Verdict},
    };

    fn records() -> [Record; 3] {
        [
            Record::Begun {
                kind: Kind::Deploy,
                number: 7,
                from: None,
                at: Timestamp::from_millis(1),
            },
            Record::SwitchingBack {
                reason: "two\nlines".into(),
            },
            Record::Finished {
                verdict: Verdict::Undone,
                at: Timestamp::from_millis(2),
            },
        ]
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = written(&records()).into_bytes();
        let read = read(&bytes).unwrap();
        assert_eq!(read.records, records());
        assert_eq!(read.valid_bytes, bytes.len());
    }

    #[test]
    fn a_last_line_torn_anywhere_is_as_if_not_written() {
        let bytes = written(&records()).into_bytes();
        let two = written(&records()[..2]).len();
        for end in two..bytes.len() {
            let read = read(&bytes[..end]).unwrap();
            assert_eq!((read.records.len(), read.valid_bytes), (2, two), "{end}");
        }
    }

    #[test]
    fn a_line_that_is_missing_or_changed_stops_everything() {
        let bytes = written(&records()).into_bytes();
        let one = written(&records()[..1]).len();
        let mut changed = bytes.clone();
        changed[one - 4] ^= 1;
        assert!(matches!(
            read(&changed),
            Err(JournalError::Damaged { line: 1 })
        ));
        let mut missing = bytes.clone();
        let two = written(&records()[..2]).len();
        missing.drain(one..two);
        missing.extend(b"{}\n");
        assert!(matches!(
            read(&missing),
            Err(JournalError::Damaged { line: 2 })
        ));
    }
}
