//! The exact JSON of every answer.

use serde_json::{Value, json};
use tria_check::{
    CheckMeta, Code, Cost, Finding, Group, Outcome, Phase, PrivateText, PublicText, PublicValue,
};
use tria_health::PhaseState;

use crate::rig::{BROKEN, PATHS, Rig, fail, meta, pass};

/// Takes the timestamp out of an answer, and holds it to RFC 3339 in UTC.
fn without_timestamp(mut body: Value) -> Value {
    let taken = body.as_object_mut().unwrap().remove("timestamp").unwrap();
    let text = taken.as_str().unwrap();
    assert!(
        text.len() == "2026-11-23T15:08:59.120Z".len() && text.ends_with('Z'),
        "{text}"
    );
    assert_eq!(
        (&text[4..5], &text[10..11], &text[19..20]),
        ("-", "T", "."),
        "{text}"
    );
    body
}

fn pooled(outcome: Outcome) -> Outcome {
    outcome
        .observe("pool_size", 10, "connections")
        .observe("pool_checked_in", 8, "connections")
        .observe("pool_checked_out", 2, "connections")
        .observe("pool_waiting", 0, "requests")
        .observe("pool_max", 10, "connections")
}

/// Four services that pass, one of them with two checks.
fn healthy() -> Rig {
    let names = ["redis", "database", "database.schema", "openai", "chromadb"];
    let rig = Rig::of(names.map(meta));
    rig.record("redis", pass());
    rig.record("database", pooled(pass()));
    rig.record("database.schema", pass().observe("tables", 8, ""));
    rig.record("openai", pass().observe("api_key_set", true, ""));
    rig.record("chromadb", pass());
    rig
}

fn services() -> Value {
    json!({
        "database": {
            "healthy": true,
            "response_time_ms": 1.25,
            "pool": {"size": 10, "checked_in": 8, "checked_out": 2, "waiting": 0, "max": 10},
        },
        "redis": {"healthy": true, "response_time_ms": 1.25},
        "openai": {"healthy": true, "response_time_ms": 1.25, "api_key_set": true},
        "chromadb": {"healthy": true, "response_time_ms": 1.25},
    })
}

#[tokio::test]
async fn health_is_the_summary() {
    let rig = healthy();
    let answer = rig.get("/health").await;
    let expected = json!({
        "status": "healthy",
        "overall_healthy": true,
        "services": services(),
        "version": "1.2.3",
    });
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(without_timestamp(answer.json()), expected);
    // Services come in the order of the checks, not of the alphabet.
    let place = |name: &str| answer.text.find(&format!("\"{name}\":{{")).unwrap();
    assert!(place("redis") < place("database") && place("openai") < place("chromadb"));
}

#[tokio::test]
async fn readiness_is_the_summary_and_the_phase() {
    let rig = healthy();
    for path in ["/readyz", "/api/v1/health/readiness"] {
        let answer = rig.get(path).await;
        let expected = json!({
            "status": "healthy",
            "overall_healthy": true,
            "services": services(),
            "version": "1.2.3",
            "phase": "ready",
        });
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(without_timestamp(answer.json()), expected, "{path}");
    }
}

#[tokio::test]
async fn liveness_says_alive() {
    let rig = healthy();
    for path in ["/livez", "/api/v1/health/liveness"] {
        let answer = rig.get(path).await;
        let mut body = without_timestamp(answer.json());
        let uptime = body.as_object_mut().unwrap().remove("uptime_seconds");
        assert!((0.0..60.0).contains(&uptime.unwrap().as_f64().unwrap()));
        assert_eq!(
            (answer.status.as_u16(), body),
            (200, json!({"status": "alive"}))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn startup_tells_its_phases_in_order() {
    let rig = Rig::of([meta("database")]);
    rig.phase.send_replace(Phase::Starting);
    rig.progress.begin(1);
    tokio::time::advance(std::time::Duration::from_millis(12)).await;
    rig.progress.line(1, "Environment validation passed");
    rig.progress.end(1, PhaseState::Passed);
    rig.progress.begin(2);
    tokio::time::advance(std::time::Duration::from_millis(30)).await;
    for path in ["/startupz", "/api/v1/health/startup"] {
        let answer = rig.get(path).await;
        let expected = json!({
            "status": "starting",
            "complete": false,
            "phase": "starting",
            "phases": [
                {"number": 1, "title": "Environment", "state": "passed",
                 "lines": ["Environment validation passed"], "elapsed_ms": 12},
                {"number": 2, "title": "Database", "state": "running",
                 "lines": [], "elapsed_ms": 30},
            ],
            "version": "1.2.3",
        });
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(without_timestamp(answer.json()), expected, "{path}");
    }
}

/// What one service says of itself, for every verdict that its checks can have.
#[tokio::test]
async fn a_service_says_what_is_wrong_with_it() {
    let look = || Outcome::from(Finding::warn(Code::new("pool_busy"), "the pool is busy"));
    let table: [(Option<Outcome>, Value); 5] = [
        (
            Some(pass()),
            json!({"healthy": true, "response_time_ms": 1.25}),
        ),
        (
            Some(look()),
            json!({"healthy": true, "response_time_ms": 1.25, "status": "warn",
                   "code": "pool_busy", "message": "the pool is busy"}),
        ),
        (
            Some(fail()),
            json!({"healthy": false, "response_time_ms": 1.25, "status": "fail",
                   "code": "broken", "message": "it is broken"}),
        ),
        (
            Some(Finding::unknown(BROKEN, "cannot tell").into()),
            json!({"healthy": false, "response_time_ms": 1.25, "status": "unknown",
                   "code": "broken", "message": "cannot tell"}),
        ),
        (
            None,
            json!({"healthy": false, "response_time_ms": null, "status": "unknown",
                   "code": "not_run", "message": "it has not been checked yet"}),
        ),
    ];
    for (outcome, expected) in table {
        let rig = Rig::of([meta("redis")]);
        if let Some(outcome) = outcome {
            rig.record("redis", outcome);
        }
        assert_eq!(rig.service("redis").await, expected);
    }
}

#[tokio::test]
async fn the_worse_check_speaks_for_its_service() {
    let optional = |name| meta(name).criticality(tria_check::Criticality::Optional);
    let warning = || Outcome::from(Finding::warn(Code::new("look"), "look"));
    let table: [(CheckMeta, Outcome, CheckMeta, Outcome, &str, bool); 5] = [
        (meta("a"), pass(), meta("a.b"), fail(), "broken", false),
        (meta("a"), fail(), meta("a.b"), pass(), "broken", false),
        (meta("a"), warning(), meta("a.b"), fail(), "broken", false),
        // These two weigh the same for the whole; what is not healthy is told.
        (
            meta("a"),
            warning(),
            optional("a.b"),
            fail(),
            "broken",
            false,
        ),
        (meta("a"), warning(), meta("a.b"), pass(), "look", true),
    ];
    for (main, first, part, second, code, works) in table {
        let rig = Rig::of([main, part]);
        rig.record("a", first);
        rig.record("a.b", second);
        let told = rig.service("a").await;
        assert_eq!(
            (&told["code"], &told["healthy"]),
            (&json!(code), &json!(works))
        );
    }
}

#[tokio::test]
async fn a_measured_response_time_goes_before_the_runs() {
    let table = [
        (pass().observe("response_time_ms", 0.412_34, "ms"), 0.412),
        (pass().observe("response_time_ms", "quick", "ms"), 1.25),
        (pass().observe("response_time_ms", f64::NAN, "ms"), 1.25),
        (pass(), 1.25),
    ];
    for (outcome, expected) in table {
        let rig = Rig::of([meta("a"), meta("a.b")]);
        rig.record("a.b", pass().observe("response_time_ms", 9.9, "ms"));
        rig.record("a", outcome);
        assert_eq!(rig.service("a").await["response_time_ms"], json!(expected));
    }
}

#[tokio::test]
async fn a_pool_shows_only_the_numbers_that_were_observed() {
    let rig = Rig::of([meta("a"), meta("a.pool"), meta("b"), meta("c")]);
    let outcome = pass()
        .observe("pool_size", 4, "connections")
        .observe("pool_max", PublicValue::word("many"), "")
        .observe("pool_password", 1, "");
    rig.record("a", pass());
    rig.record("a.pool", outcome);
    rig.record("b", pass().observe("api_key_set", "sk-1", ""));
    rig.record("c", pass().observe("api_key_set", false, ""));
    assert_eq!(
        rig.service("a").await,
        json!({"healthy": true, "response_time_ms": 1.25, "pool": {"size": 4}})
    );
    assert!(rig.service("b").await.get("api_key_set").is_none());
    assert_eq!(rig.service("c").await["api_key_set"], json!(false));
}

/// The time that a look at the own process takes is nobody's response time.
#[tokio::test]
async fn what_is_no_dependency_has_no_response_time() {
    let local = |name| {
        meta(name)
            .cost(Cost::Local)
            .criticality(tria_check::Criticality::Optional)
    };
    let rig = Rig::of([
        local("system.memory"),
        local("system.disk"),
        // It asks over the network, and still measures no service `system`.
        meta("system.clock"),
        local("tasks"),
    ]);
    let not_run = rig.service("system").await;
    assert!(not_run.get("response_time_ms").is_none(), "{not_run}");
    for name in ["system.memory", "system.disk", "system.clock", "tasks"] {
        rig.record(name, pass());
    }
    for name in ["system", "tasks"] {
        assert_eq!(rig.service(name).await, json!({"healthy": true}));
    }
    let low = Finding::warn(Code::new("disk_low"), "4.1 % of the disk is free");
    rig.record("system.disk", low);
    assert_eq!(
        rig.service("system").await,
        json!({"healthy": true, "status": "warn", "code": "disk_low",
               "message": "4.1 % of the disk is free"})
    );
    assert_eq!(rig.get("/health").await.json()["status"], "degraded");
}

/// FerroEHR#2048, BerriAI/litellm#37090: driver text and credentials on an open /health.
#[tokio::test]
async fn no_answer_holds_private_detail() {
    const PLANTED: &str = "hunter2";
    let rig = Rig::of(["a", "b", "c", "d"].map(meta));
    let detail = || PrivateText::new(format!("postgres://tria:{PLANTED}@db.internal refused"));
    rig.record("a", Finding::fail(BROKEN, "refused").detail(detail()));
    rig.record("b", Finding::warn(BROKEN, "look").detail(detail()));
    rig.record("c", Finding::pass("fine").detail(detail()));
    rig.record("d", Finding::unknown(BROKEN, "?").detail(detail()));
    rig.progress.line(
        1,
        PublicText::filled("found {}", &[PublicValue::word("<script>")]),
    );
    for phase in [Phase::Starting, Phase::Ready, Phase::Draining] {
        rig.phase.send_replace(phase);
        for path in PATHS {
            let text = rig.get(path).await.text;
            for secret in [PLANTED, "db.internal", "postgres:", "<script>"] {
                assert!(!text.contains(secret), "{path}: {text}");
            }
        }
    }
    assert!(rig.get("/health").await.text.contains("refused"));
}

#[tokio::test]
async fn only_checks_of_the_readiness_group_are_told() {
    let rig = Rig::of([
        meta("env").groups([Group::Startup]),
        meta("deep").groups([Group::Diagnostics]),
        meta("redis"),
    ]);
    rig.record("redis", pass());
    rig.record("env", fail());
    let answer = rig.get("/readyz").await;
    assert_eq!(answer.status, 200);
    let services = answer.json()["services"].clone();
    assert_eq!(
        services,
        json!({"redis": {"healthy": true, "response_time_ms": 1.25}})
    );
}
