//! Status codes and headers.

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::{Value, json};
use tria_check::{Cost, Criticality, Finding, Outcome, Phase};
use tria_health::PhaseState;

use crate::rig::{BROKEN, PATHS, Rig, ask, fail, meta, pass};

/// Every verdict of a critical and of an optional check, next to one that passes. axum-health:
/// a derived order made Unknown hide Down and answer 200.
#[tokio::test]
async fn ranks_decide_the_status() {
    let warn = || Outcome::from(Finding::warn(BROKEN, "look"));
    let unknown = || Outcome::from(Finding::unknown(BROKEN, "cannot tell"));
    let (critical, optional) = (Criticality::Critical, Criticality::Optional);
    let table = [
        (critical, Some(pass()), 200, "healthy"),
        (critical, Some(warn()), 200, "degraded"),
        (critical, Some(fail()), 503, "unhealthy"),
        (critical, Some(unknown()), 503, "unhealthy"),
        (critical, None, 503, "unhealthy"),
        (optional, Some(pass()), 200, "healthy"),
        (optional, Some(warn()), 200, "degraded"),
        (optional, Some(fail()), 200, "degraded"),
        (optional, Some(unknown()), 200, "degraded"),
        (optional, None, 200, "degraded"),
    ];
    for (criticality, outcome, code, status) in table {
        let rig = Rig::of([meta("other"), meta("it").criticality(criticality)]);
        rig.record("other", pass());
        let case = format!("{criticality:?} {outcome:?}");
        if let Some(outcome) = outcome {
            rig.record("it", outcome);
        }
        for path in ["/health", "/readyz", "/api/v1/health/readiness"] {
            let answer = rig.get(path).await;
            assert_eq!(answer.status, code, "{case} {path}");
            let body = answer.json();
            assert_eq!(body["status"], json!(status), "{case} {path}");
            assert_eq!(body["overall_healthy"], json!(code == 200), "{case} {path}");
            assert_eq!(
                answer.header("retry-after").is_some(),
                code == 503,
                "{case}"
            );
        }
        assert_eq!(rig.get("/livez").await.status, 200, "{case}");
    }
}

/// kubernetes/kubernetes#52817: liveness stays green while draining.
#[tokio::test]
async fn each_phase_has_its_codes() {
    let table = [
        // phase, readiness, startup, startup's status, Retry-After of readiness
        (Phase::Starting, 503, 503, "starting", Some("1")),
        (Phase::Ready, 200, 200, "complete", None),
        (Phase::Draining, 503, 200, "complete", Some("5")),
        (Phase::Stopping, 503, 200, "complete", Some("5")),
        (Phase::RollingBack, 503, 503, "failed", Some("5")),
        (Phase::Stopped(0), 503, 503, "failed", Some("5")),
        (Phase::Failed(69), 503, 503, "failed", Some("5")),
    ];
    for (phase, ready, started, startup_status, retry_after) in table {
        let rig = Rig::of([meta("redis")]);
        rig.record("redis", pass());
        rig.phase.send_replace(phase);

        let readiness = rig.get("/readyz").await;
        assert_eq!(readiness.status, ready, "{phase:?}");
        assert_eq!(readiness.header("retry-after"), retry_after, "{phase:?}");
        let body = readiness.json();
        assert_eq!(body["phase"], json!(phase.name()));
        assert_eq!(body["overall_healthy"], json!(ready == 200));
        let status = if ready == 200 { "healthy" } else { "unhealthy" };
        assert_eq!(body["status"], json!(status));
        // The reason is the phase; the services are not to blame.
        assert_eq!(body["services"]["redis"]["healthy"], json!(true));

        let startup = rig.get("/startupz").await;
        assert_eq!(startup.status, started, "{phase:?}");
        assert_eq!(startup.header("retry-after").is_some(), started == 503);
        let body = startup.json();
        let told = (&body["status"], &body["complete"], &body["phase"]);
        let expected = (
            json!(startup_status),
            json!(started == 200),
            json!(phase.name()),
        );
        assert_eq!(told, (&expected.0, &expected.1, &expected.2));

        assert_eq!(rig.get("/livez").await.status, 200, "{phase:?}");
        // The summary looks at the checks alone.
        assert_eq!(rig.get("/health").await.status, 200, "{phase:?}");
    }
}

#[tokio::test]
async fn a_stop_after_a_complete_start_does_not_undo_it() {
    let rig = Rig::of([meta("redis")]);
    rig.progress.end(1, PhaseState::Passed);
    rig.progress.end(2, PhaseState::Warned);
    rig.phase.send_replace(Phase::Stopped(0));
    assert_eq!(rig.get("/startupz").await.status, 200);
}

#[tokio::test]
async fn retry_after_names_when_the_answer_can_change() {
    let busy = |seconds| {
        let after = std::time::Duration::from_secs(seconds);
        Outcome::from(Finding::fail(BROKEN, "busy").transient(Some(after)))
    };
    let table = [
        (Cost::Network, Some(fail()), "1"),
        (Cost::Network, None, "1"),
        (Cost::Network, Some(busy(7)), "7"),
        (Cost::Metered, Some(fail()), "60"),
    ];
    for (cost, outcome, expected) in table {
        let rig = Rig::of([meta("it").cost(cost)]);
        if let Some(outcome) = outcome {
            rig.record("it", outcome);
        }
        for path in ["/health", "/readyz"] {
            let answer = rig.get(path).await;
            assert_eq!(answer.header("retry-after"), Some(expected), "{cost:?}");
        }
    }
}

#[tokio::test]
async fn every_answer_forbids_storing_it() {
    let rig = Rig::of([meta("redis")]);
    for method in [Method::GET, Method::HEAD, Method::POST] {
        for path in PATHS {
            let answer = ask(&rig.router, method.clone(), path).await;
            let told = answer.header("cache-control");
            assert_eq!(told, Some("no-store"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_answers_like_get_and_other_methods_are_refused() {
    let rig = Rig::of([meta("redis")]);
    for path in PATHS {
        let got = rig.get(path).await;
        let head = ask(&rig.router, Method::HEAD, path).await;
        assert_eq!(head.status, got.status, "{path}");
        assert_eq!(head.header("retry-after"), got.header("retry-after"));
        assert_eq!(head.text, "");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let refused = ask(&rig.router, method, path).await;
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(refused.header("allow"), Some("GET,HEAD"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_service_brings_its_own_errors() {
    let rig = Rig::of([meta("redis")]);
    let service: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .merge(rig.router)
        .fallback(|| async { (StatusCode::NOT_FOUND, "my 404") })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, "my 405") });
    let table = [
        (Method::GET, "/", 200, "hello"),
        (Method::POST, "/livez", 405, "my 405"),
        (Method::GET, "/nowhere", 404, "my 404"),
    ];
    for (method, path, status, text) in table {
        let answer = ask(&service, method, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (status, text)
        );
    }
    let answer = ask(&service, Method::GET, "/livez").await;
    assert_eq!(
        serde_json::from_str::<Value>(&answer.text).unwrap()["status"],
        "alive"
    );
}
