//! Rows, and the table of them.

use std::{fmt::Write, time::Duration};

use tria_tests::Footprint;

use super::bounds::BUSY;

/// What came of one case.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) case: String,
    /// From the fault to 503, or to a warning; nothing where there must be neither.
    pub(super) shows: Option<Timed>,
    /// The codes told, one after the other.
    pub(super) codes: Vec<String>,
    /// From the fault's end until all was well.
    pub(super) recovers: Option<Timed>,
    /// What liveness answered other than 200.
    pub(super) lost: Vec<String>,
    /// The slowest answer of liveness.
    pub(super) slowest: Option<Duration>,
    /// What the process held at its start, and holds at the end.
    pub(super) footprints: Option<(Footprint, Footprint)>,
    /// All that was told, with times.
    pub(super) told: String,
    /// What was not as it should be, besides times and liveness.
    pub(super) deviations: Vec<String>,
    /// Something worth knowing.
    pub(super) note: String,
}

/// A time that was measured, and the longest it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    /// `None`: it did not come.
    pub(super) took: Option<Duration>,
    pub(super) bound: Duration,
}

// === impl Row ===

impl Row {
    pub(super) fn of(case: impl Into<String>) -> Self {
        Self {
            case: case.into(),
            ..Self::default()
        }
    }

    /// A case that there is not.
    pub(super) fn not_applicable(case: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            note: why.into(),
            ..Self::of(case)
        }
    }

    /// A row that could not be made.
    pub(super) fn broken(case: impl Into<String>, why: String) -> Self {
        Self {
            deviations: vec![why],
            ..Self::of(case)
        }
    }

    /// Everything that is not as it should be.
    pub(super) fn all_deviations(&self) -> Vec<String> {
        let mut all = self.deviations.clone();
        for (what, timed) in [("show", self.shows), ("recover", self.recovers)] {
            let Some(timed) = timed.filter(|timed| timed.is_beyond(BUSY)) else {
                continue;
            };
            let Timed { took, bound } = timed;
            all.push(match took {
                None => format!("it did not {what} within {bound:.1?}"),
                Some(took) => format!("it took {took:.2?} to {what}, not {bound:.1?}"),
            });
        }
        if let Some(first) = self.lost.first() {
            let count = self.lost.len();
            all.push(format!("{count} answers were lost, as in {first}"));
        }
        all
    }

    fn cells(&self) -> [String; 8] {
        let timed = |timed: Option<Timed>| match timed {
            None => "-".to_owned(),
            Some(Timed { took: None, bound }) => format!("never (≤ {:.1})", bound.as_secs_f64()),
            Some(Timed {
                took: Some(took),
                bound,
            }) => format!("{:.2} (≤ {:.1})", took.as_secs_f64(), bound.as_secs_f64()),
        };
        let (memory, files) = match self.footprints {
            None => ("-".to_owned(), "-".to_owned()),
            Some((start, end)) => {
                let megabytes = |kilobytes: u64| {
                    format!("{}.{}", kilobytes / 1024, kilobytes % 1024 * 10 / 1024)
                };
                (
                    format!(
                        "{} → {}",
                        megabytes(start.resident_kb),
                        megabytes(end.resident_kb)
                    ),
                    format!(
                        "{}/{} → {}/{}",
                        start.open_files, start.sockets, end.open_files, end.sockets
                    ),
                )
            }
        };
        let codes = if self.codes.is_empty() {
            "-".to_owned()
        } else {
            self.codes.join(", ")
        };
        let alive = match (self.lost.len(), self.slowest) {
            (_, None) => "-".to_owned(),
            (0, Some(slowest)) => format!("200, {} ms", slowest.as_millis()),
            (lost, _) => format!("{lost} lost"),
        };
        let late = |timed: Timed| timed.is_beyond(Duration::ZERO);
        let verdict = if !self.all_deviations().is_empty() {
            "DEVIATES".to_owned()
        } else if self.shows.is_some_and(late) || self.recovers.is_some_and(late) {
            "late: a busy machine?".to_owned()
        } else {
            self.note.clone()
        };
        [
            self.case.clone(),
            timed(self.shows),
            codes,
            timed(self.recovers),
            alive,
            memory,
            files,
            verdict,
        ]
    }
}

// === impl Timed ===

impl Timed {
    fn is_beyond(self, tolerated: Duration) -> bool {
        self.took.is_none_or(|took| took > self.bound + tolerated)
    }
}

/// The table of all rows, as text.
pub(super) fn table(rows: &[Row]) -> String {
    let heads = [
        "case",
        "s to show (≤)",
        "code",
        "s to recover (≤)",
        "livez, slowest",
        "MB resident",
        "files/sockets",
        "",
    ];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// What is wrong with any row, by its name, with all that was told.
pub(super) fn deviations(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        for deviation in row.all_deviations() {
            let _ = writeln!(text, "{}: {deviation}\n    told: {}", row.case, row.told);
        }
    }
    text
}
