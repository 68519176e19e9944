//! A start, written for people.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tria_check::{CheckReport, Code, Finding, Status};

use crate::{Observer, PhaseReport, PhaseState, StartupEvent, Verdict};

/// Writes a start for people: the phases in order, whatever order they ended in, and at the end
/// all that is wrong with what to do about it.
///
/// A line that cannot be written (a full disk, a closed pipe) is dropped: a start does not fail
/// because nobody can read of it.
pub struct Banner {
    page: Mutex<Page>,
}

/// What a banner calls the run.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    /// The first line.
    pub title: &'static str,
    /// What begins the last line when the process may serve.
    pub complete: &'static str,
    /// What begins the list of problems when it may not.
    pub refused: &'static str,
}

struct Page {
    wording: Wording,
    progress: Box<dyn Write + Send>,
    problems: Box<dyn Write + Send>,
    /// The phase whose lines are written as they come; those of later ones wait.
    current: usize,
    sections: Vec<Section>,
    told: HashMap<String, Code>,
}

#[derive(Default)]
struct Section {
    lines: Vec<String>,
    ended: bool,
}

// === impl Wording ===

impl Default for Wording {
    /// That of a start.
    fn default() -> Self {
        Self {
            title: "STARTUP",
            complete: "STARTUP COMPLETE - ALL CRITICAL SERVICES OPERATIONAL",
            refused: "STARTUP REFUSED",
        }
    }
}

// === impl Banner ===

impl Banner {
    /// A banner. Progress goes to one writer, the list of what is wrong to another
    /// (as to standard output and standard error).
    pub fn new(
        wording: Wording,
        progress: impl Write + Send + 'static,
        problems: impl Write + Send + 'static,
    ) -> Self {
        let mut page = Page {
            wording,
            progress: Box::new(progress),
            problems: Box::new(problems),
            current: 0,
            sections: Vec::new(),
            told: HashMap::new(),
        };
        page.write(wording.title);
        Self {
            page: Mutex::new(page),
        }
    }
}

impl Observer for Banner {
    fn on_event(&self, event: &StartupEvent<'_>) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            StartupEvent::PhaseBegan { number, title } => page.begin(*number, title),
            StartupEvent::Retrying {
                number,
                check,
                deadline,
            } => {
                page.retrying(*number, check, *deadline);
            }
            StartupEvent::CheckEnded { number, check } => {
                for line in check_lines(check) {
                    page.add(*number, line);
                }
            }
            StartupEvent::PhaseEnded(report) => page.end(report.number),
            StartupEvent::Ended { verdict, elapsed } => page.conclude(verdict, *elapsed),
        }
    }
}

// === impl Page ===

impl Page {
    fn section(&mut self, number: usize) -> &mut Section {
        while self.sections.len() < number {
            self.sections.push(Section::default());
        }
        &mut self.sections[number - 1]
    }

    fn begin(&mut self, number: usize, title: &str) {
        self.section(number)
            .lines
            .insert(0, format!("PHASE {number}: {title}"));
        self.flush();
    }

    fn add(&mut self, number: usize, line: String) {
        self.section(number).lines.push(line);
        self.flush();
    }

    fn end(&mut self, number: usize) {
        self.section(number).ended = true;
        self.flush();
    }

    /// Writes what is waiting, up to the first phase that has not ended.
    fn flush(&mut self) {
        while self.current < self.sections.len() {
            let section = &mut self.sections[self.current];
            let (lines, ended) = (std::mem::take(&mut section.lines), section.ended);
            for line in lines {
                self.write(&line);
            }
            if !ended {
                break;
            }
            self.current += 1;
        }
    }

    /// Says once per check and cause that it is being waited for.
    fn retrying(&mut self, number: usize, check: &CheckReport, deadline: Instant) {
        let code = check.outcome.code();
        if self.told.insert(check.name.clone(), code) == Some(code) {
            return;
        }
        let left = deadline
            .saturating_duration_since(Instant::now())
            .as_secs_f64();
        let text = check.outcome.text();
        self.add(
            number,
            format!(
                "  ⏳ {}: {text} [{code}], retrying for {left:.0} s",
                check.name
            ),
        );
    }

    fn conclude(&mut self, verdict: &Verdict, elapsed: Duration) {
        for phase in verdict
            .phases
            .iter()
            .filter(|phase| phase.state == PhaseState::Skipped)
        {
            self.write(&format!("PHASE {}: {}", phase.number, phase.title));
            self.write("  ⏭️  not tried");
        }
        let elapsed = elapsed.as_millis();
        let Some(code) = verdict.exit_code() else {
            let complete = self.wording.complete;
            let line = match verdict.warnings() {
                0 => format!("✅ {complete}"),
                count => format!("⚠️  {complete}, {}", counted(count, "WARNING")),
            };
            self.write(&format!("{line} ({elapsed} ms)"));
            return;
        };
        let problems = counted(verdict.problems(), "PROBLEM");
        let refused = self.wording.refused;
        let mut text = format!("❌ {refused} - {problems} (exit code {code}, {elapsed} ms)\n");
        for (number, problem) in problems_of(&verdict.phases).enumerate() {
            let Problem {
                check,
                finding,
                keys,
            } = problem;
            let (number, code) = (number + 1, finding.code());
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {number}. {check}: {} [{code}]", finding.text());
            if let Some(detail) = finding.get_detail() {
                let _ = writeln!(text, "     detail: {}", detail.expose());
            }
            if let Some(remedy) = finding.get_remedy() {
                let _ = writeln!(text, "     remedy: {remedy}");
            }
            if !keys.is_empty() {
                let _ = writeln!(text, "     keys:   {}", keys.join(", "));
            }
        }
        let _ = self.progress.flush();
        let _ = self.problems.write_all(text.as_bytes());
        let _ = self.problems.flush();
    }

    fn write(&mut self, line: &str) {
        let _ = self.progress.write_all(format!("{line}\n").as_bytes());
        let _ = self.progress.flush();
    }
}

/// The lines of one check. What keeps the process from serving gets its remedy at the end, where
/// all problems are listed; what does not, gets it here.
fn check_lines(check: &CheckReport) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in check.outcome.findings() {
        let (text, code) = (finding.text(), finding.code());
        match finding.status() {
            Status::Pass => lines.push(format!("  ✅ {text}")),
            Status::Fail if check.is_blocking() => lines.push(format!("  ❌ {text} [{code}]")),
            Status::Unknown if check.is_blocking() => lines.push(format!("  ❓ {text} [{code}]")),
            Status::Warn | Status::Fail | Status::Unknown => {
                lines.push(format!("  ⚠️  {text} [{code}]"));
                if let Some(detail) = finding.get_detail() {
                    lines.push(format!("      detail: {}", detail.expose()));
                }
                if let Some(remedy) = finding.get_remedy() {
                    lines.push(format!("      remedy: {remedy}"));
                }
            }
        }
    }
    lines
}

/// A finding that keeps the process from serving.
struct Problem<'a> {
    check: &'a str,
    finding: &'a Finding,
    keys: &'a [&'static str],
}

fn problems_of(phases: &[PhaseReport]) -> impl Iterator<Item = Problem<'_>> {
    phases.iter().flat_map(|phase| {
        let blocking = phase.checks.iter().filter(|check| check.is_blocking());
        blocking.flat_map(|check| {
            let failures = check
                .outcome
                .findings()
                .iter()
                .filter(|finding| finding.is_failure());
            failures.map(|finding| Problem {
                check: &check.name,
                finding,
                keys: &phase.keys,
            })
        })
    })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}S")
    }
}
