//! How far a deployment came, from its records alone.

use super::{Kind, Record};
use crate::release::Release;

/// A deployment that did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Which way it went.
    pub kind: Kind,
    /// The number of its release.
    pub number: u64,
    /// The release that served when it began.
    pub from: Option<Release>,
    /// The release that it was making, as soon as it was known.
    pub candidate: Option<Release>,
    /// How far it came.
    pub standing: Standing,
}

/// How far a deployment came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The old release serves, untouched.
    BeforeSwitch,
    /// The service was taken away so that a backup could be restored, which is not complete.
    Restoring(String),
    /// One of the two serves; only the proxy knows which.
    Switching,
    /// The new release serves, unproven.
    Switched,
    /// The new release serves; the old one is on its way out.
    Verified,
    /// One of the two serves, and it shall be the old one.
    SwitchingBack(String),
    /// The old release serves again.
    SwitchedBack(String),
}

pub(super) fn unfinished(records: &[Record]) -> Option<Unfinished> {
    let mut found: Option<Unfinished> = None;
    for record in records {
        match record {
            Record::Begun {
                kind, number, from, ..
            } => {
                found = Some(Unfinished {
                    kind: *kind,
                    number: *number,
                    from: from.as_deref().cloned(),
                    candidate: None,
                    standing: Standing::BeforeSwitch,
                });
            }
            Record::Finished { .. } => found = None,
            _ => {
                if let Some(found) = &mut found {
                    found.take(record);
                }
            }
        }
    }
    found
}

// === impl Unfinished ===

impl Unfinished {
    fn take(&mut self, record: &Record) {
        let next = match record {
            Record::Candidate { release } => {
                self.candidate = Some((**release).clone());
                return;
            }
            Record::Restoring { backup } => Standing::Restoring(backup.clone()),
            Record::Restored => Standing::BeforeSwitch,
            Record::Switching => Standing::Switching,
            Record::Switched => Standing::Switched,
            Record::Verified => Standing::Verified,
            Record::SwitchingBack { reason } => Standing::SwitchingBack(reason.clone()),
            Record::SwitchedBack => match &self.standing {
                Standing::SwitchingBack(reason) => Standing::SwitchedBack(reason.clone()),
                _ => Standing::SwitchedBack(String::new()),
            },
            Record::Begun { .. } | Record::OneShot { .. } | Record::Finished { .. } => return,
        };
        self.standing = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, journal::Verdict};

    fn begun() -> Record {
        Record::Begun {
            kind: Kind::Deploy,
            number: 3,
            from: None,
            at: Timestamp::default(),
        }
    }

    #[test]
    fn each_record_moves_the_standing() {
        let back = || "why".to_owned();
        let steps = [
            (begun(), Standing::BeforeSwitch),
            (
                Record::OneShot {
                    container: "x".into(),
                },
                Standing::BeforeSwitch,
            ),
            (Record::Switching, Standing::Switching),
            (Record::Switched, Standing::Switched),
            (
                Record::SwitchingBack { reason: back() },
                Standing::SwitchingBack(back()),
            ),
            (Record::SwitchedBack, Standing::SwitchedBack(back())),
        ];
        let mut records = Vec::new();
        for (record, standing) in steps {
            records.push(record);
            assert_eq!(unfinished(&records).unwrap().standing, standing);
        }
    }

    #[test]
    fn what_is_finished_or_was_never_begun_is_not_unfinished() {
        assert_eq!(unfinished(&[]), None);
        let finished = Record::Finished {
            verdict: Verdict::Done,
            at: Timestamp::default(),
        };
        assert_eq!(unfinished(&[begun(), finished]), None);
    }
}
