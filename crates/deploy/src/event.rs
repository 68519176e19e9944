//! What a deployment tells while it works.

use std::{io::Write, sync::Mutex, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Clock, Timestamp},
    outcome::{Outcome, Problem},
    phase::Phase,
    plan::Plan,
    secret::Scrubber,
};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// An earlier deployment was interrupted; it is resumed or undone first.
    Recovering {
        /// What is done about it.
        text: String,
    },
    /// What will be done.
    Planned {
        /// The plan.
        plan: Plan,
    },
    /// A phase begins.
    PhaseStarted {
        /// Which one.
        phase: Phase,
        /// How long it may take.
        deadline_ms: u64,
    },
    /// Something was proven or done.
    Step {
        /// What.
        text: String,
        /// How it stands.
        mark: Mark,
    },
    /// A phase is complete.
    PhaseFinished {
        /// Which one.
        phase: Phase,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// A phase failed.
    PhaseFailed {
        /// Which one.
        phase: Phase,
        /// Why.
        problem: Problem,
    },
    /// The traffic goes to another release.
    Switched {
        /// From whom.
        from: Option<String>,
        /// To whom.
        to: String,
    },
    /// What was begun is undone, or the old release gets the traffic back.
    GoingBack {
        /// Why.
        reason: String,
    },
    /// It is over.
    Finished {
        /// How.
        result: Outcome,
        /// The exit code.
        exit_code: u8,
        /// How long all of it took.
        elapsed_ms: u64,
    },
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is good.
    Good,
    /// It is only told.
    Note,
    /// It is worth a thought.
    Warning,
}

/// An event and when it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Is told what happens. Secrets were taken out before.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Stamped);
}

/// Writes each event as one line of JSON.
pub struct JsonLines<W> {
    writer: Mutex<W>,
}

/// Takes secrets out of events and hands them on.
pub(crate) struct Reporter<'a> {
    observers: &'a [&'a dyn Observer],
    scrubber: Scrubber,
    clock: &'a dyn Clock,
}

// === impl JsonLines ===

impl<W: Write + Send> JsonLines<W> {
    /// Writes there.
    pub fn new(writer: W) -> Self {
        Self {
            writer: Mutex::new(writer),
        }
    }
}

impl<W: Write + Send> Observer for JsonLines<W> {
    fn event(&self, event: &Stamped) {
        let mut line = serde_json::to_string(event).unwrap_or_default();
        line.push('\n');
        let mut writer = self
            .writer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A full disk or a closed pipe must not end a deployment half way.
        let _ = writer.write_all(line.as_bytes());
        let _ = writer.flush();
    }
}

// === impl Reporter ===

impl<'a> Reporter<'a> {
    pub(crate) fn new(
        observers: &'a [&'a dyn Observer],
        scrubber: Scrubber,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            observers,
            scrubber,
            clock,
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        let event = self.scrubbed(event);
        let stamped = Stamped {
            at: self.clock.now(),
            event,
        };
        for observer in self.observers {
            observer.event(&stamped);
        }
    }

    pub(crate) fn step(&self, text: impl Into<String>) {
        self.mark(Mark::Good, text);
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.mark(Mark::Note, text);
    }

    pub(crate) fn warn(&self, text: impl Into<String>) {
        self.mark(Mark::Warning, text);
    }

    pub(crate) fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    fn mark(&self, mark: Mark, text: impl Into<String>) {
        self.tell(Event::Step {
            text: text.into(),
            mark,
        });
    }

    /// By way of JSON, where every text of every event is found, also of those to come.
    fn scrubbed(&self, event: Event) -> Event {
        let Ok(mut value) = serde_json::to_value(&event) else {
            return event;
        };
        self.scrubber.scrub_json(&mut value);
        serde_json::from_value(value).unwrap_or(Event::Step {
            text: "an event that could not be told".into(),
            mark: Mark::Warning,
        })
    }
}

/// Milliseconds, as events tell durations.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
