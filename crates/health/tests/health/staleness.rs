//! Ages are judged when a result is read.

use std::time::Duration;

use serde_json::json;
use tokio::time::advance;
use tria_check::{Cost, Criticality, Status};
use tria_health::STALE;

use crate::rig::{Rig, fail, meta, pass};

/// microsoft/healthcare-shared-components#1425: a cache without expiry served Healthy for six
/// days.
#[tokio::test(start_paused = true)]
async fn a_pass_that_nobody_refreshes_becomes_unknown() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", pass().observe("pool_size", 4, "connections"));
    // 2.5 periods of 5 s and a timeout of 2 s.
    advance(Duration::from_millis(14_500)).await;
    assert_eq!(rig.readyz().await, 200);
    advance(Duration::from_millis(1)).await;
    assert_eq!(rig.readyz().await, 503);
    assert_eq!(rig.get("/health").await.status, 503);
    // Numbers of a connection that nobody has looked at since are not shown.
    assert_eq!(
        rig.service("redis").await,
        json!({"healthy": false, "response_time_ms": null, "status": "unknown",
               "code": "stale", "message": "nothing has been heard of it for 14 s"})
    );
    advance(Duration::from_secs(6 * 24 * 3600)).await;
    assert_eq!(rig.readyz().await, 503);
    rig.record("redis", pass());
    assert_eq!(rig.readyz().await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_stale_optional_check_degrades() {
    let rig = Rig::of([meta("redis").criticality(Criticality::Optional)]);
    rig.record("redis", pass());
    advance(Duration::from_secs(60)).await;
    let answer = rig.get("/readyz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], json!("degraded"));
}

#[tokio::test(start_paused = true)]
async fn a_metered_check_has_the_time_that_its_cost_demands() {
    let rig = Rig::of([meta("openai").cost(Cost::Metered)]);
    rig.record("openai", pass());
    advance(Duration::from_secs(152)).await;
    assert_eq!(rig.readyz().await, 200);
    advance(Duration::from_millis(1)).await;
    assert_eq!(rig.readyz().await, 503);
}

/// openebs/mayastor-control-plane#1121: failures expire sooner than passes.
#[tokio::test(start_paused = true)]
async fn a_failure_expires_sooner_than_a_pass() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", fail());
    advance(Duration::from_millis(4_500)).await;
    assert_eq!(rig.snapshot.read("redis").unwrap().status(), Status::Fail);
    advance(Duration::from_millis(1)).await;
    assert_eq!(rig.snapshot.read("redis").unwrap().code(), STALE);
    assert_eq!(rig.readyz().await, 503);
}

/// A pass that stands only because the failures after it are too few is as old as the last of
/// them, and expires like one.
#[tokio::test(start_paused = true)]
async fn a_pass_on_credit_expires_like_a_failure() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", pass());
    advance(Duration::from_secs(5)).await;
    rig.record("redis", fail());
    assert_eq!(rig.readyz().await, 200);
    advance(Duration::from_millis(4_501)).await;
    assert_eq!(rig.readyz().await, 503);
}

#[tokio::test(start_paused = true)]
async fn a_reading_tells_age_and_last_result() {
    let rig = Rig::of([meta("redis"), meta("database")]);
    rig.record("redis", pass());
    advance(Duration::from_secs(20)).await;
    let reading = rig.snapshot.read("redis").unwrap();
    assert_eq!(reading.age(), Some(Duration::from_secs(20)));
    assert!(reading.current().is_none());
    assert_eq!(reading.latest().unwrap().outcome.status(), Status::Pass);
    assert!(rig.snapshot.read("database").unwrap().age().is_none());
    assert!(rig.snapshot.read("nobody").is_none());
}
