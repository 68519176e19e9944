//! The cases, what came of each, and what was wrong.

use std::{
    future::Future,
    io::{Write, stderr},
    time::{Duration, Instant},
};

use super::visitors::{Seen, Visitors};

/// What came of the cases so far.
pub(super) struct Record {
    rows: Vec<Row>,
    broken: Vec<String>,
}

struct Row {
    case: String,
    seen: Seen,
    took: Duration,
    code: String,
}

/// Whether a case may cost requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    Nothing,
    /// Nobody can be served meanwhile, and the command says so.
    Outage,
}

/// How many requests of a case may have met the end of their idle connection: one for each time
/// that the proxy takes up another configuration, and a deployment has it do so a few times.
const RESENT: usize = 3;

// === impl Record ===

impl Record {
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Runs a case, which gives its exit code, and writes down what came of it. One that fails
    /// does not end the others.
    pub(super) async fn case(
        &mut self,
        case: &str,
        visitors: Option<&Visitors>,
        cost: Cost,
        work: impl Future<Output = i32> + Send + 'static,
    ) -> bool {
        if let Some(visitors) = visitors {
            visitors.take();
        }
        let started = Instant::now();
        let ended = tokio::spawn(work).await;
        let took = started.elapsed();
        let seen = visitors.map(Visitors::take).unwrap_or_default();
        let before = self.broken.len();
        let code = match ended {
            Ok(code) => code.to_string(),
            Err(error) => {
                self.broken.push(format!("{case}: {}", told(error)));
                "?".to_owned()
            }
        };
        if cost == Cost::Nothing && seen.failed > 0 {
            let what = format!(
                "{case}: {} requests failed: {:?}",
                seen.failed, seen.failures
            );
            self.broken.push(what);
        }
        if seen.resent > RESENT {
            let what = format!("{case}: {} requests were sent again", seen.resent);
            self.broken.push(what);
        }
        let row = Row {
            case: case.to_owned(),
            seen,
            took,
            code,
        };
        say(&row.text());
        for broken in &self.broken[before..] {
            say(&format!("BROKEN {broken}"));
        }
        self.rows.push(row);
        self.broken.len() == before
    }

    /// Notes that something is wrong.
    pub(super) fn wrong(&mut self, what: impl Into<String>) {
        self.broken.push(what.into());
    }

    /// The table, and what was wrong.
    pub(super) fn end(self) -> Vec<String> {
        say("");
        say("| case | requests | failed | sent again | longest gap | time | exit code |");
        say("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        for row in &self.rows {
            say(&row.text());
        }
        self.broken
    }
}

// === impl Row ===

impl Row {
    fn text(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} ms | {:.1} s | {} |",
            self.case,
            self.seen.sent,
            self.seen.failed,
            self.seen.resent,
            self.seen.gap.as_millis(),
            self.took.as_secs_f64(),
            self.code
        )
    }
}

fn told(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "it was dropped".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// To the terminal, past what a test keeps to itself: it takes long enough to be watched.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
