//! The background tasks that keep a snapshot fresh.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{sleep, sleep_until};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};
use tria_check::{CheckReport, Group, PrivateText, Runner};

use crate::{Snapshot, Turn};

/// How long a refresher that panicked stays away.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Asks every check of the readiness group again and again, each in a task of its own, so that a
/// slow check holds up no other.
///
/// A check is asked once per effective period, jittered by ±20 %, and about every second while it
/// fails; a [`tria_check::Cost::Metered`] one never more than once a minute. One that has a
/// result already is left alone until its period is over: a start that has just proven
/// everything is not followed by a second round.
#[derive(Debug)]
pub struct Monitor;

/// The tasks of a [`Monitor`]. Dropping it does not end them; the token that the monitor was
/// started with does.
#[derive(Clone, Debug)]
pub struct MonitorHandle {
    tasks: TaskTracker,
}

// === impl Monitor ===

impl Monitor {
    /// Starts a task per check of the readiness group, to be ended by `token`. Start it when the
    /// startup outcomes are in the snapshot.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        runner: &Runner,
        snapshot: &Arc<Snapshot>,
        token: &CancellationToken,
    ) -> MonitorHandle {
        let tasks = TaskTracker::new();
        for name in runner.registry().names_in(Group::Readiness) {
            let (runner, snapshot) = (runner.clone(), Arc::clone(snapshot));
            let token = token.clone();
            tasks.spawn(async move {
                let refresh = || refresh(&name, &runner, &snapshot);
                tokio::select! {
                    biased;
                    () = token.cancelled() => {}
                    () = keep_up(&name, refresh) => {}
                }
            });
        }
        tasks.close();
        MonitorHandle { tasks }
    }
}

// === impl MonitorHandle ===

impl MonitorHandle {
    /// Waits until every task has ended; cancel the monitor's token first. A run that is under
    /// way belongs to the runner, which ends it by [`Runner::cancel`].
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
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

/// Asks one check for as long as there is such a check.
async fn refresh(name: &str, runner: &Runner, snapshot: &Snapshot) {
    loop {
        sleep_until(snapshot.due(name)).await;
        let Some(report) = runner.run(name).await else {
            return;
        };
        let told = report.clone();
        match snapshot.record(report) {
            Some(Turn::Failed) => log_failure(&told),
            Some(Turn::Recovered) => info!(check = name, "a check has recovered"),
            None => {}
        }
    }
}

/// The log of the process is for operators, so it gets the private detail.
fn log_failure(report: &CheckReport) {
    let decisive = report.outcome.decisive();
    warn!(
        check = report.name,
        code = decisive.code().as_str(),
        detail = decisive.get_detail().map(PrivateText::expose),
        "a check has failed: {}",
        decisive.text()
    );
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

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
