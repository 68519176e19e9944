//! Checks run because somebody asked.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tria_check::{CheckMeta, CheckReport, Cost, Runner};

use crate::Snapshot;

/// How old a result may be to count as fresh, which is also how often a check can be made to run
/// by asking: for any number of callers one run in that time.
fn fresh_for(cost: Cost) -> Duration {
    match cost {
        Cost::Local | Cost::Network => Duration::from_secs(1),
        // Somebody pays for it, and yet whoever is woken at night wants to know.
        Cost::Metered => Duration::from_secs(10),
    }
}

/// Runs the checks that are `wanted` and have no fresh result, all at once, and takes the results
/// in. Ends after the longest timeout at the latest.
///
/// A run belongs to the runner: who stops waiting cancels nothing.
pub(crate) async fn refresh(
    runner: &Runner,
    snapshot: &Snapshot,
    wanted: impl Fn(&CheckMeta) -> bool,
) {
    let metas = runner.registry().metas().filter(|meta| wanted(meta));
    let runs = metas.map(|meta| async {
        let known = || fresh(snapshot, meta);
        let report = runner.run_unless(meta.name(), known).await;
        // The run itself was taken in when it ended; this is for one that did not end.
        report.map(|report| snapshot.record(report));
    });
    join_all(runs).await;
}

fn fresh(snapshot: &Snapshot, meta: &CheckMeta) -> Option<CheckReport> {
    let reading = snapshot.read(meta.name())?;
    let latest = reading.latest()?;
    let age = Instant::now().saturating_duration_since(latest.finished);
    (age < fresh_for(meta.get_cost())).then(|| latest.clone())
}
