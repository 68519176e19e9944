//! What operators are told, and who is not.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::advance;
use tria_check::{Finding, Group, Outcome, PrivateText};
use tria_health::{Access, Pool, PoolStatus};

use crate::rig::{BROKEN, Rig, TOKEN, ask, fail, meta, pass};

const PATH: &str = "/api/v1/health/diagnostics";

fn detailed() -> Outcome {
    Finding::fail(BROKEN, "it is broken")
        .transient(None)
        .remedy("mend it")
        .detail(PrivateText::new("db-7.internal:5432 refused app"))
        .into()
}

async fn told(rig: &Rig) -> Value {
    let answer = rig.get_authorized(PATH).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// FerroEHR#2048, BerriAI/litellm#37090: driver text on an open endpoint.
#[tokio::test]
async fn nobody_without_the_token_reads_them() {
    let rig = Rig::of([meta("database")]);
    rig.record("database", detailed());
    let basic = format!("Basic {TOKEN}");
    for headers in [
        &[][..],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer h4lf-past-thre")],
        &[("authorization", basic.as_str())],
        &[("x-diagnostics-token", TOKEN)],
    ] {
        let answer = rig.get_with(PATH, headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(!answer.text.contains("db-7") && !answer.text.contains(TOKEN));
    }
    let in_query = rig.get(&format!("{PATH}?token={TOKEN}")).await;
    assert_eq!(in_query.status, 401);
    let closed = rig.router_of(|state| state.access(Access::Closed));
    assert_eq!(ask(&closed, Method::GET, PATH).await.status, 401);
    let open = rig.router_of(|state| state.access(Access::Open));
    assert_eq!(ask(&open, Method::GET, PATH).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_check_is_told_with_its_detail_and_its_past() {
    let rig = Rig::of([meta("database")]);
    rig.record("database", pass().observe("server_version", "17.2", ""));
    advance(Duration::from_secs(1)).await;
    for _ in 0..2 {
        rig.record("database", detailed());
        advance(Duration::from_secs(1)).await;
    }
    let told = told(&rig).await;
    let check = &told["checks"][0];
    // Two failures do not count yet.
    assert_eq!(
        (&check["status"], &check["code"]),
        (&json!("pass"), &json!("ok"))
    );
    let finding = json!({"status": "fail", "code": "broken", "message": "it is broken",
        "remedy": "mend it", "detail": "db-7.internal:5432 refused app", "may_pass_by_itself": true});
    assert_eq!(check["findings"], json!([finding]));
    assert_eq!(check["consecutive_failures"], json!(2));
    assert_eq!(
        (&check["runs"], &check["age_ms"]),
        (&json!(3), &json!(1000))
    );
    assert_eq!(
        check["latency"],
        json!({"last_ms": 1.25, "p50_ms": 1.25, "p99_ms": 1.25})
    );
    assert_eq!(
        check["groups"],
        json!(["startup", "readiness", "diagnostics"])
    );
    assert_eq!(
        (&check["timeout_ms"], &check["period_ms"]),
        (&json!(2000), &json!(5000))
    );
    assert_eq!(check["critical"], json!(true));
    let history = check["history"].as_array().unwrap();
    let statuses: Vec<_> = history.iter().map(|past| &past["status"]).collect();
    assert_eq!(statuses, ["pass", "fail", "fail"]);
    assert!(check["last_success"].is_string() && check["last_failure"].is_string());
}

#[tokio::test]
async fn everything_else_is_told_too() {
    let statistics = meta("database.statistics").groups([Group::Diagnostics]);
    let rig = Rig::of([meta("database"), statistics, meta("redis")]);
    rig.record("database", pass().observe("server_version", "17.2", ""));
    rig.record(
        "database.statistics",
        pass().observe("database_size_bytes", 8_388_608, "bytes"),
    );
    rig.record("redis", fail());
    let pool = Pool::new("database", || PoolStatus {
        size: 3,
        available: 1,
        waiting: 4,
        max: 10,
    });
    let router = rig.router_of(|state| {
        state
            .access(Access::Open)
            .pools([pool])
            .section("lifecycle", || json!({"phase": "ready"}))
    });
    let told = ask(&router, Method::GET, PATH).await.json();
    assert_eq!(told["status"], json!("unhealthy"));
    assert_eq!(told["phase"], json!("ready"));
    let observed = json!({
        "server_version": {"value": "17.2"},
        "database_size_bytes": {"value": 8_388_608, "unit": "bytes"},
    });
    assert_eq!(told["observed"], json!({"database": observed}));
    let pools =
        json!({"database": {"size": 3, "available": 1, "waiting": 4, "max": 10, "in_use": 2}});
    assert_eq!(told["pools"], pools);
    assert_eq!(told["lifecycle"], json!({"phase": "ready"}));
    assert!(told["process"]["uptime_seconds"].is_number());
    assert!(told["runtime"]["workers"].as_u64().unwrap() >= 1);
    assert_eq!(told["heartbeats"], json!({"expected": 0, "overdue": []}));
    assert_eq!(told["startup"]["phases"].as_array().unwrap().len(), 2);
    let text = told.to_string();
    assert!(!text.contains("@@"), "a time is left out: {text}");
    // A check that is of diagnostics only has no say in the whole.
    assert_eq!(told["checks"][1]["status"], json!("pass"));
    assert_eq!(
        rig.get("/readyz").await.json()["services"]["database"]["healthy"],
        json!(true)
    );
}
