//! Who is told what happens: the terminal or a program that reads JSON, and a log.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::ExitCode,
};

use anyhow::Result;
use tria_deploy::{
    Clock, Ground, Options, Outcome, Stop, SystemClock, Terminal,
    event::{Event, JsonLines, Observer, Stamped},
};

use super::Installation;
use crate::{signals, tell};

/// The observers of a command.
pub(crate) struct Telling {
    observers: Vec<Box<dyn Observer>>,
}

/// Where logs go, from the root of the repository.
const LOGS: &str = "logs/deployment";

// === impl Telling ===

impl Telling {
    /// Tells on standard output.
    pub(crate) fn new(json: bool) -> Self {
        let shown: Box<dyn Observer> = if json {
            Box::new(JsonLines::new(io::stdout()))
        } else {
            Box::new(Terminal::new(io::stdout()))
        };
        Self {
            observers: vec![shown],
        }
    }

    /// Tells nobody.
    pub(crate) const fn nobody() -> Self {
        Self {
            observers: Vec::new(),
        }
    }

    /// Keeps a log as well. A disk on which none can be kept is no reason not to go on.
    pub(crate) fn keep_log(&mut self, repository: &Path, command: &str) {
        match log(repository, command) {
            Ok(file) => self.observers.push(Box::new(JsonLines::new(file))),
            Err(error) => tell(&format!("warning: no log is kept: {error}")),
        }
    }

    pub(crate) fn event(&self, event: Event) {
        let at = SystemClock.now();
        let stamped = Stamped { at, event };
        for observer in &self.observers {
            observer.event(&stamped);
        }
    }

    /// Runs a command of the engine of deployments, which hears of signals.
    pub(crate) async fn run<T>(
        &self,
        installation: &Installation,
        options: &Options,
        command: impl AsyncFnOnce(Ground<'_>) -> T,
    ) -> Result<T> {
        let stop = Stop::new();
        let mut signals = signals::Stop::listen()?;
        let asked = stop.clone();
        let listening = tokio::spawn(async move {
            loop {
                signals.next().await;
                tell(if asked.is_asked() {
                    "stopping now; the next deployment undoes or finishes what is left"
                } else {
                    "stopping after this step, and undoing what was begun; once more stops at once"
                });
                asked.ask();
            }
        });
        let observers: Vec<&dyn Observer> = self.observers.iter().map(|it| &**it).collect();
        let done = command(Ground {
            world: &installation.world,
            options,
            observers: &observers,
            stop: &stop,
        })
        .await;
        listening.abort();
        Ok(done)
    }

    /// The end of a command that ended before the engine of deployments could tell it.
    pub(crate) fn ended_early(&self, outcome: &Outcome) -> ExitCode {
        self.tell_end(outcome);
        code(outcome)
    }

    /// The same, where the command goes on to its exit by itself.
    pub(crate) fn tell_end(&self, outcome: &Outcome) {
        self.event(Event::Finished {
            result: outcome.clone(),
            exit_code: outcome.exit_code().get(),
            elapsed_ms: 0,
        });
    }
}

/// The exit code of a command that told its end.
pub(crate) fn code(outcome: &Outcome) -> ExitCode {
    outcome.exit_code().get().into()
}

/// A file for us only: what is scrubbed is still nobody's business.
fn log(repository: &Path, command: &str) -> io::Result<File> {
    let folder = repository.join(LOGS);
    fs::create_dir_all(&folder)?;
    let time = SystemClock.now().for_names();
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(folder.join(format!("{command}_{time}.log")))
}
