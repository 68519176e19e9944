//! The background tasks that keep a snapshot fresh.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};
use tria_check::{CheckMeta, CheckReport, Group, Heartbeat, Heartbeats, Runner};

use crate::Snapshot;

/// How long a refresher that panicked stays away.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What a refresher may be late by before it is missed: time that a busy machine may take.
const SLACK: Duration = Duration::from_secs(10);

/// Asks checks again and again, each in a task of its own, so that a slow check holds up no
/// other: those of the groups readiness, liveness and diagnostics. What a start alone asks is
/// left alone.
///
/// A check is asked once per effective period, jittered by ±20 %, and about every second while it
/// fails; a [`tria_check::Cost::Metered`] one never more than once a minute. One that has a
/// result already is left alone until its period is over: a start that has just proven
/// everything is not followed by a second round.
///
/// Each refresher has a heartbeat, by the name `monitor <check>`. One that is stuck, or was
/// killed, is missed there; a dependency that is down is not.
#[derive(Debug)]
pub struct Monitor;

/// The tasks of a [`Monitor`]. Dropping it does not end them; the token that the monitor was
/// started with does.
#[derive(Clone, Debug)]
pub struct MonitorHandle {
    tasks: TaskTracker,
}

/// What keeps one check fresh.
struct Refresher {
    meta: CheckMeta,
    runner: Runner,
    snapshot: Arc<Snapshot>,
    heartbeat: Heartbeat,
}

// === impl Monitor ===

impl Monitor {
    /// Runs the checks of the readiness group that have no result yet, once and all at once, so
    /// that a service is not called degraded for what nobody has asked yet. Call it before
    /// [`Monitor::start`].
    pub async fn prime(runner: &Runner, snapshot: &Snapshot) {
        let names = runner.registry().names_in(Group::Readiness);
        let unknown = names.iter().filter(|name| {
            let reading = snapshot.read(name);
            reading.is_some_and(|reading| reading.latest().is_none())
        });
        for report in runner.run_all(unknown).await.checks {
            snapshot.record(report);
        }
    }

    /// Starts a task per check, to be ended by `token`. Start it when the startup outcomes are in
    /// the snapshot.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        runner: &Runner,
        snapshot: &Arc<Snapshot>,
        heartbeats: &Heartbeats,
        token: &CancellationToken,
    ) -> MonitorHandle {
        snapshot.watch();
        let tasks = TaskTracker::new();
        for meta in runner.registry().metas().filter(|meta| is_watched(meta)) {
            let task = format!("monitor {}", meta.name());
            let refresher = Refresher {
                meta: meta.clone(),
                runner: runner.clone(),
                snapshot: Arc::clone(snapshot),
                heartbeat: heartbeats.start(task, SLACK),
            };
            let token = token.clone();
            tasks.spawn(async move {
                tokio::select! {
                    biased;
                    () = token.cancelled() => {}
                    () = keep_up(refresher.meta.name(), || refresher.refresh()) => {}
                }
                refresher.heartbeat.retire();
            });
        }
        tasks.close();
        MonitorHandle { tasks }
    }
}

/// Whether a check is asked again and again.
pub(crate) fn is_watched(meta: &CheckMeta) -> bool {
    [Group::Readiness, Group::Liveness, Group::Diagnostics]
        .into_iter()
        .any(|group| meta.is_in(group))
}

// === impl MonitorHandle ===

impl MonitorHandle {
    /// Waits until every task has ended; cancel the monitor's token first. A run that is under
    /// way belongs to the runner, which ends it by [`Runner::cancel`].
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

// === impl Refresher ===

impl Refresher {
    /// Asks for as long as there is such a check.
    async fn refresh(&self) {
        let name = self.meta.name();
        let mut was_slow = false;
        loop {
            let due = self.snapshot.due(name);
            self.heartbeat
                .beat_within(due.saturating_duration_since(Instant::now()) + SLACK);
            sleep_until(due).await;
            self.heartbeat.beat_within(self.meta.get_timeout() + SLACK);
            let Some(report) = self.runner.run(name).await else {
                return;
            };
            was_slow = self.tell_if_slow(&report, was_slow);
            // The run itself was taken in when it ended; this is for one that did not end.
            self.snapshot.record(report);
        }
    }

    /// Warns of a check that passes and comes near its timeout: the failure that it will be can
    /// still be prevented. Told once, until it is quick again.
    fn tell_if_slow(&self, report: &CheckReport, was_slow: bool) -> bool {
        let check = self.meta.name();
        let limit = self.meta.get_timeout();
        let slow = report.duration > limit / 2;
        let duration_ms = millis(report.duration);
        if slow && !was_slow && !report.outcome.is_failure() {
            let timeout_ms = millis(limit);
            warn!(
                check,
                duration_ms, timeout_ms, "a check took more than half of its timeout"
            );
        } else if was_slow && !slow {
            info!(check, duration_ms, "a check is quick again");
        }
        slow && (was_slow || !report.outcome.is_failure())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Starts `refresh` anew whenever it panics. Between the panic and the next result the
/// snapshot's ages tell that nothing is heard.
async fn keep_up<R: Future<Output = ()>>(name: &str, refresh: impl Fn() -> R) {
    while AssertUnwindSafe(refresh()).catch_unwind().await.is_err() {
        error!(
            check = name,
            "the refresher of a check panicked and is started anew"
        );
        sleep(AFTER_PANIC).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refresher_that_panics_is_started_anew() {
        let begun = Instant::now();
        let starts = AtomicU32::new(0);
        keep_up("it", || async {
            assert!(
                starts.fetch_add(1, Ordering::SeqCst) >= 2,
                "planted: the first two starts panic"
            );
        })
        .await;
        assert_eq!(starts.load(Ordering::SeqCst), 3);
        assert_eq!(begun.elapsed(), AFTER_PANIC * 2);
    }
}
