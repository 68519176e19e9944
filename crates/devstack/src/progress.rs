//! What is said to a person while long steps run.

use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// Where notes and steps are shown: a spinner on a terminal, plain lines elsewhere, or nowhere.
#[derive(Clone, Debug)]
pub struct Progress {
    show: Show,
}

#[derive(Clone, Copy, Debug)]
enum Show {
    Spinner,
    Lines,
    Nothing,
}

/// A step under way; it ends when this is dropped.
pub(crate) struct Step {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows on standard error.
    pub fn on_stderr() -> Self {
        let show = if stderr().is_terminal() {
            Show::Spinner
        } else {
            Show::Lines
        };
        Self { show }
    }

    /// Shows nothing.
    pub fn silent() -> Self {
        Self {
            show: Show::Nothing,
        }
    }

    /// Says one line.
    pub fn say(&self, line: &str) {
        if !matches!(self.show, Show::Nothing) {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(stderr(), "{line}");
        }
    }

    pub(crate) fn step(&self, title: &str) -> Step {
        if matches!(self.show, Show::Spinner) {
            let bar = ProgressBar::new_spinner().with_message(title.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            return Step { bar: Some(bar) };
        }
        self.say(&format!("{title} ..."));
        Step { bar: None }
    }
}

impl Step {
    pub(crate) fn detail(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
