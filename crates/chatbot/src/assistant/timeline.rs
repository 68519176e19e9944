//! What is done for an answer, as it happens.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::answer::TimelineStep;

/// What an answer's making tells while it is under way.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// A step is done.
    Step(TimelineStep),
    /// The next part of the message.
    Text(String),
}

/// Times the steps of one request, and tells them to whoever listens.
pub(crate) struct Timeline {
    begun: Instant,
    steps: Vec<TimelineStep>,
    listener: Option<UnboundedSender<Told>>,
}

// === impl Timeline ===

impl Timeline {
    /// Of a request that began at `begun`.
    pub(crate) fn new(begun: Instant, listener: Option<UnboundedSender<Told>>) -> Self {
        Self {
            begun,
            steps: Vec::new(),
            listener,
        }
    }

    /// Does and times a step. One that fails is noted too.
    pub(crate) async fn step<T>(&mut self, step: &'static str, work: impl Future<Output = T>) -> T {
        let started = self.begun.elapsed();
        let done = work.await;
        self.note(step, started, self.begun.elapsed());
        done
    }

    /// Tells a part of the message.
    pub(crate) fn text(&self, text: &str) {
        self.tell(Told::Text(text.to_owned()));
    }

    /// The steps so far.
    pub(crate) fn steps(&self) -> &[TimelineStep] {
        &self.steps
    }

    fn note(&mut self, step: &'static str, started: Duration, ended: Duration) {
        let step = TimelineStep {
            step,
            started_ms: milliseconds(started),
            duration_ms: milliseconds(ended.saturating_sub(started)),
        };
        self.tell(Told::Step(step.clone()));
        self.steps.push(step);
    }

    /// Who listened may be gone; the work goes on.
    fn tell(&self, told: Told) {
        if let Some(listener) = &self.listener {
            let _ = listener.send(told);
        }
    }
}

/// To a microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
