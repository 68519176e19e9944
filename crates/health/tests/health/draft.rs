//! The shape of draft-inadarei-api-health-check-06.

use serde_json::{Value, json};
use tria_check::{Criticality, Phase};

use crate::rig::{Answer, Rig, fail, meta, pass};

const DRAFT: &str = "application/health+json";

async fn asked(rig: &Rig, path: &str) -> Answer {
    let answer = rig.get_with(path, &[("accept", DRAFT)]).await;
    assert_eq!(answer.header("content-type"), Some(DRAFT), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    answer
}

fn measured<'a>(body: &'a Value, key: &str) -> &'a Vec<Value> {
    body["checks"][key].as_array().unwrap()
}

#[tokio::test]
async fn who_asks_for_the_draft_gets_it_and_others_do_not() {
    let rig = Rig::of([meta("database"), meta("database.schema"), meta("redis")]);
    for name in ["database", "database.schema", "redis"] {
        rig.record(name, pass());
    }
    let answer = asked(&rig, "/health").await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["version"]),
        (&json!("pass"), &json!("1.2.3"))
    );
    let database = measured(&body, "database:responseTime");
    let ids: Vec<_> = database.iter().map(|one| &one["componentId"]).collect();
    assert_eq!(ids, ["database", "database.schema"]);
    let redis = &measured(&body, "redis:responseTime")[0];
    assert_eq!(redis["observedValue"], json!(1.25));
    assert_eq!(
        (&redis["observedUnit"], &redis["status"]),
        (&json!("ms"), &json!("pass"))
    );
    assert!(redis["time"].as_str().unwrap().ends_with('Z'));
    assert!(redis.get("output").is_none());
    // One shape must not be served from the other's cache.
    let ours = rig.get("/health").await;
    assert_eq!(ours.header("content-type"), Some("application/json"));
    assert_eq!(ours.json()["status"], json!("healthy"));
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_drafts_words() {
    let rig = Rig::of([
        meta("database"),
        meta("redis").criticality(Criticality::Optional),
    ]);
    rig.record("database", pass());
    rig.record("redis", fail());
    let body = asked(&rig, "/readyz").await.json();
    assert_eq!(body["status"], json!("warn"));
    let redis = &measured(&body, "redis:responseTime")[0];
    assert_eq!(
        (&redis["status"], &redis["code"]),
        (&json!("fail"), &json!("broken"))
    );
    assert_eq!(redis["output"], json!("it is broken"));
    rig.phase.send_replace(Phase::Draining);
    let draining = asked(&rig, "/readyz").await;
    assert_eq!(
        (draining.status.as_u16(), draining.header("retry-after")),
        (503, Some("5"))
    );
    assert_eq!(draining.json()["status"], json!("fail"));
    assert_eq!(draining.json()["notes"], json!(["draining"]));
    // One that never ran has no time to tell.
    let rig = Rig::of([meta("database")]);
    let body = asked(&rig, "/health").await.json();
    let database = &measured(&body, "database:responseTime")[0];
    assert_eq!(database["code"], json!("not_run"));
    assert!(database.get("time").is_none() && database["observedValue"].is_null());
}

#[tokio::test]
async fn liveness_has_the_drafts_shape_too() {
    let rig = Rig::of([]);
    let answer = asked(&rig, "/livez").await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["status"], json!("pass"));
    let uptime = &measured(&body, "uptime")[0];
    assert!(uptime["observedValue"].is_number() && uptime["time"].as_str().unwrap().ends_with('Z'));
}
