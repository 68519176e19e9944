//! Asking the person at the terminal, if there is one.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    process::{Command, Stdio},
};

/// Somebody who can answer.
pub(crate) struct Person {
    answers: bool,
}

/// Gives the terminal its echo back, whatever happens.
struct Unseen;

// === impl Person ===

impl Person {
    /// The person at the terminal; none in a script.
    pub(crate) fn find() -> Option<Self> {
        let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        is_there.then_some(Self { answers: true })
    }

    /// One who answers nothing.
    pub(crate) const fn nobody() -> Self {
        Self { answers: false }
    }

    /// What they answer, without spaces around it.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        if !self.answers {
            return None;
        }
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{question}: ");
        let _ = stderr.flush();
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).ok()?;
        Some(line.trim().to_owned())
    }

    /// The same, and nobody who looks on sees the answer.
    pub(crate) fn ask_secretly(&self, question: &str) -> Option<String> {
        if !self.answers {
            return None;
        }
        let unseen = Unseen::begin();
        let answer = self.ask(question);
        drop(unseen);
        let _ = writeln!(io::stderr());
        answer
    }

    /// Whether they mean it.
    pub(crate) fn confirms(&self, question: &str) -> bool {
        let answer = self.ask(&format!("{question} Type yes to go on"));
        answer.is_some_and(|answer| answer.eq_ignore_ascii_case("yes"))
    }
}

// === impl Unseen ===

impl Unseen {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        stty("echo");
    }
}

/// A terminal that does not know it shows what is typed; that is all.
fn stty(argument: &str) {
    let mut command = Command::new("stty");
    let _ = command.arg(argument).stderr(Stdio::null()).status();
}
