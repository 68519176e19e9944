//! The end of a server: what is in flight is finished, and the rest is cut off.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::{self, Instant, MissedTickBehavior};

use super::{ServeError, core::Core};
use crate::{report::as_ms, supervise::ABORT_GRACE};

/// How a drain went.
///
/// The requests add up: what was in flight and what arrived was finished, aborted or abandoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DrainReport {
    /// Requests in flight when the listener began to close.
    pub in_flight_at_start: usize,
    /// Connections open then, idle and upgraded ones included.
    pub connections_at_start: usize,
    /// Upgraded connections among them, as of a WebSocket.
    pub upgraded_at_start: usize,
    /// Requests that began after that, on connections that were open or waited to be accepted.
    pub arrived: usize,
    /// Requests that were answered to the last byte.
    pub finished: usize,
    /// Requests whose clients went away, or whose connections failed.
    pub abandoned: usize,
    /// Requests that were cut off at the deadline.
    pub aborted_requests: usize,
    /// Connections that were cut off at the deadline, upgraded ones included.
    pub aborted_connections: usize,
    /// How long it took, without the pre-drain.
    #[serde(rename = "elapsed_ms", serialize_with = "milliseconds")]
    pub elapsed: Duration,
}

/// What a server is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Open connections, idle and upgraded ones included.
    pub connections: usize,
    /// Upgraded connections, as of a WebSocket.
    pub upgraded: usize,
    /// Requests that are not answered to the last byte.
    pub requests: usize,
    /// For how long the oldest of them has been in flight.
    pub oldest: Option<Duration>,
}

/// A drain under way.
pub(super) struct Drain {
    begun: Instant,
    before: Load,
    tally: [usize; 3],
}

/// How often the log tells what is waited for.
const PROGRESS: Duration = Duration::from_secs(1);

// === impl Drain ===

impl Drain {
    /// Turns away from serving. The listener is still open.
    pub(super) fn begin(core: &Core, deadline: Instant) -> Self {
        let begun = Instant::now();
        let (before, tally) = (core.load(), core.tally.read());
        core.begin_closing();
        tracing::info!(
            requests = before.requests,
            connections = before.connections,
            upgraded = before.upgraded,
            limit_ms = as_ms(deadline.saturating_duration_since(begun)),
            "drain begins"
        );
        Self {
            begun,
            before,
            tally,
        }
    }

    /// Waits until everybody is gone, or cuts off those who are left at the last deadline asked
    /// for. The listener is closed.
    pub(super) async fn finish(self, core: &Arc<Core>) -> DrainReport {
        core.connections.wake_all();
        let left = self.wait(core).await;
        // Before those who are cut off are abandoned, too.
        let [begun, finished, abandoned] = core.tally.read();
        if left.connections > 0 {
            abort(core, left).await;
        }
        let arrived = begun - self.tally[0];
        let finished = finished - self.tally[1];
        let report = DrainReport {
            in_flight_at_start: self.before.requests,
            connections_at_start: self.before.connections,
            upgraded_at_start: self.before.upgraded,
            arrived,
            finished,
            abandoned: abandoned - self.tally[2],
            aborted_requests: left.requests,
            aborted_connections: left.connections,
            elapsed: self.begun.elapsed(),
        };
        tell(&report);
        report
    }

    /// What is left when everybody is gone or the deadline has come.
    async fn wait(&self, core: &Core) -> Load {
        let mut count = core.connections.count();
        let mut asked = core.asked.subscribe();
        let mut progress = time::interval_at(self.begun + PROGRESS, PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = asked.borrow_and_update().unwrap_or(self.begun);
            tokio::select! {
                biased;
                _ = count.wait_for(|count| *count == 0) => return Load::default(),
                () = time::sleep_until(deadline) => return core.load(),
                // Somebody has less patience than whoever asked first.
                _ = asked.changed() => {}
                _ = progress.tick() => {
                    let load = core.load();
                    tracing::info!(
                        requests = load.requests,
                        oldest_ms = load.oldest.map(as_ms),
                        connections = load.connections,
                        upgraded = load.upgraded,
                        left_ms = as_ms(deadline.saturating_duration_since(Instant::now())),
                        "still draining"
                    );
                }
            }
        }
    }
}

async fn abort(core: &Arc<Core>, left: Load) {
    tracing::warn!(
        requests = left.requests,
        oldest_ms = left.oldest.map(as_ms),
        connections = left.connections,
        upgraded = left.upgraded,
        "drain timeout: the rest is cut off"
    );
    core.abort.abort();
    for connection in core.connections.all() {
        connection.cut();
        connection.wake();
    }
    let mut count = core.connections.count();
    let gone = count.wait_for(|count| *count == 0);
    if time::timeout(ABORT_GRACE, gone).await.is_err() {
        let connections = core.load().connections;
        tracing::warn!(
            connections,
            "handlers block their threads and are left to themselves"
        );
    }
}

fn tell(report: &DrainReport) {
    let elapsed_ms = as_ms(report.elapsed);
    let DrainReport {
        in_flight_at_start,
        arrived,
        finished,
        abandoned,
        aborted_requests,
        aborted_connections,
        ..
    } = *report;
    if report.is_clean() {
        tracing::info!(
            in_flight_at_start,
            arrived,
            finished,
            abandoned,
            elapsed_ms,
            "drain ended"
        );
    } else {
        tracing::warn!(
            in_flight_at_start,
            arrived,
            finished,
            abandoned,
            aborted_requests,
            aborted_connections,
            elapsed_ms,
            "drain ended"
        );
    }
}

// === impl DrainReport ===

impl DrainReport {
    /// Whether nothing was cut off.
    pub fn is_clean(&self) -> bool {
        self.aborted_requests == 0 && self.aborted_connections == 0
    }

    /// # Errors
    /// [`ServeError::Aborted`] if something was cut off.
    pub fn clean(self) -> Result<Self, ServeError> {
        if self.is_clean() {
            return Ok(self);
        }
        Err(ServeError::Aborted {
            requests: self.aborted_requests,
            connections: self.aborted_connections,
            after: self.elapsed,
        })
    }
}

fn milliseconds<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    as_ms(*duration).serialize(serializer)
}
