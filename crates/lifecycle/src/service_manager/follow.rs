//! Tells the manager all that happens in a run.

use std::{
    convert::Infallible, fmt::Write, future::pending, io, sync::atomic::Ordering, time::Duration,
};

use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use tria_check::Phase;

use super::{ServiceManager, Watchdog, status::status};
use crate::RunReport;

/// How much time is asked for while a start or a stop goes on, and asked for again when half of it
/// is over.
const EXTENSION: Duration = Duration::from_secs(10);

/// How soon a message is sent again that the manager had no room for.
const AGAIN: Duration = Duration::from_millis(50);

/// The sign of life.
const ALIVE: &str = "WATCHDOG=1\n";

/// What was told, and what is still to be.
struct Teller {
    manager: ServiceManager,
    phase: Option<Phase>,
    status: String,
    unsent: String,
    /// Whether a heartbeat is overdue, and the log knows.
    silent: bool,
}

impl ServiceManager {
    /// Tells of the run for as long as it is polled.
    pub(crate) async fn follow(self, mut report: watch::Receiver<RunReport>) -> Infallible {
        let mut teller = Teller::new(self);
        let mut more_time = ticking(EXTENSION / 2);
        let watchdog = teller.manager.watchdog.clone();
        let mut alive = ticking(watchdog.as_ref().map_or(EXTENSION, Watchdog::period));
        loop {
            teller.note(&report.borrow_and_update());
            teller.send();
            tokio::select! {
                biased;
                changed = report.changed() => if changed.is_err() {
                    pending::<()>().await;
                },
                () = sleep(AGAIN), if !teller.unsent.is_empty() => {}
                _ = more_time.tick() => teller.ask_for_time(),
                _ = alive.tick(), if watchdog.is_some() => if let Some(watchdog) = &watchdog {
                    teller.live(watchdog);
                },
            }
        }
    }

    /// Tells the end of the run, which may have come before anything else could be told.
    pub(crate) fn conclude(&self, report: &RunReport) {
        self.serving.store(false, Ordering::SeqCst);
        let _ = self.send(&format!("STOPPING=1\nSTATUS={}\n", status(report)));
    }
}

/// The first tick comes at once. One that was missed is not made up for.
fn ticking(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

// === impl Teller ===

impl Teller {
    fn new(manager: ServiceManager) -> Self {
        Self {
            manager,
            phase: None,
            status: String::new(),
            unsent: String::new(),
            silent: false,
        }
    }

    /// Notes what is new in the report.
    fn note(&mut self, report: &RunReport) {
        let phase = report.phase;
        let was_ending = self.phase.is_some_and(Phase::is_ending);
        if phase.is_ending() && !was_ending {
            self.manager.serving.store(false, Ordering::SeqCst);
            self.unsent.push_str("STOPPING=1\n");
        } else if phase.is_ready() && self.phase != Some(phase) {
            self.manager.serving.store(true, Ordering::SeqCst);
            self.unsent.push_str("READY=1\n");
        }
        let entered = self.phase.replace(phase) != Some(phase);
        if entered {
            self.ask_for_time();
        }
        let status = status(report);
        if status != self.status {
            let _ = writeln!(self.unsent, "STATUS={status}");
            self.status = status;
        }
    }

    /// While the process is on its way up or down.
    fn ask_for_time(&mut self) {
        if self.phase.is_some_and(|phase| !phase.is_ready()) {
            let micros = EXTENSION.as_micros();
            let _ = writeln!(self.unsent, "EXTEND_TIMEOUT_USEC={micros}");
        }
    }

    fn live(&mut self, watchdog: &Watchdog) {
        let overdue = watchdog.heartbeats.overdue();
        if overdue.is_empty() {
            self.silent = false;
            if !self.unsent.contains(ALIVE) {
                self.unsent.push_str(ALIVE);
            }
        } else if !std::mem::replace(&mut self.silent, true) {
            let tasks: Vec<&str> = overdue.iter().map(|overdue| &*overdue.task).collect();
            let tasks = tasks.join(", ");
            tracing::error!(
                tasks,
                "not heard of in time; the service manager's watchdog is not told"
            );
        }
    }

    /// Sends what there is to tell. What the manager has no room for is kept.
    fn send(&mut self) {
        if self.unsent.is_empty() {
            return;
        }
        match self.manager.send(&self.unsent) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told");
                self.unsent.clear();
            }
            Ok(()) => self.unsent.clear(),
        }
    }
}

// === impl Watchdog ===

impl Watchdog {
    /// Twice in an interval, as systemd advises.
    fn period(&self) -> Duration {
        (self.interval / 2).max(Duration::from_millis(1))
    }
}
