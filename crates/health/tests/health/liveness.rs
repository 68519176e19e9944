//! What turns liveness red, and what does not.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tria_check::{Criticality, Phase};
use tria_health::Monitor;

use crate::rig::{Rig, fail, meta};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_stuck_task_turns_liveness_red_and_is_named() {
    let rig = Rig::of([meta("redis")]);
    let task = rig.heartbeats.start("order queue", HOUR);
    let other = rig.heartbeats.start("other", HOUR);
    assert_eq!(rig.get("/livez").await.status, 200);
    task.beat_within(Duration::ZERO);
    let red = loop {
        let answer = rig.get("/livez").await;
        if answer.status == 503 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(red.header("retry-after"), Some("5"));
    assert_eq!(red.json()["status"], json!("stuck"));
    let stuck = json!([{"task": "order queue", "overdue_seconds": 0}]);
    assert_eq!(red.json()["stuck"], stuck);
    assert_eq!(rig.get("/api/v1/health/liveness").await.status, 503);
    task.beat();
    assert_eq!(rig.get("/livez").await.status, 200);
    task.retire();
    other.retire();
}

/// super-productivity#9599: killed by liveness during a database restart.
#[tokio::test]
async fn nothing_but_our_own_tasks_turns_liveness_red() {
    let rig = Rig::of([
        meta("database"),
        meta("redis").criticality(Criticality::Optional),
    ]);
    rig.record("database", fail());
    rig.record("redis", fail());
    let phases = [
        Phase::Starting,
        Phase::Ready,
        // kubernetes/kubernetes#52817
        Phase::Draining,
        Phase::Stopping,
        Phase::Stopped(0),
    ];
    for phase in phases {
        rig.phase.send_replace(phase);
        assert_eq!(rig.get("/livez").await.status, 200, "{phase:?}");
        assert_eq!(rig.get("/readyz").await.status, 503, "{phase:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refresher_is_expected_to_be_heard_of_until_it_is_ended() {
    let rig = Rig::of([meta("database"), meta("redis")]);
    let token = CancellationToken::new();
    let monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    assert_eq!(rig.heartbeats.expected(), 2);
    while rig.get("/readyz").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(rig.heartbeats.overdue().is_empty());
    token.cancel();
    monitor.stopped().await;
    assert_eq!(rig.heartbeats.expected(), 0);
    assert_eq!(rig.get("/livez").await.status, 200);
}

/// A runtime that is dropped kills its tasks without a word; so does whoever aborts them.
#[test]
fn a_refresher_that_was_killed_is_missed() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let rig = Rig::of([meta("database")]);
    let killed = runtime();
    killed.block_on(async {
        Monitor::start(
            &rig.runner,
            &rig.snapshot,
            &rig.heartbeats,
            &CancellationToken::new(),
        );
        tokio::task::yield_now().await;
    });
    drop(killed);
    assert_eq!(rig.heartbeats.expected(), 1, "it is still expected");
}
