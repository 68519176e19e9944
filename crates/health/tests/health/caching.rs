//! Answers are written once and sent many times, and never a moment too long.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tria_check::Phase;
use tria_health::Sampler;

use crate::rig::{Rig, ask, fail, meta, pass};

#[tokio::test]
async fn each_result_shows_in_the_very_next_answer() {
    let rig = Rig::of([meta("redis")]);
    for _ in 0..20 {
        rig.record("redis", pass());
        assert_eq!(rig.get("/health").await.status, 200);
        assert_eq!(rig.readyz().await, 200);
        for _ in 0..3 {
            rig.record("redis", fail());
        }
        assert_eq!(rig.get("/health").await.status, 503);
        assert_eq!(rig.readyz().await, 503);
    }
}

#[tokio::test]
async fn each_phase_shows_in_the_very_next_answer() {
    let rig = Rig::of([]);
    for phase in [
        Phase::Starting,
        Phase::Ready,
        Phase::Draining,
        Phase::Stopping,
    ] {
        rig.phase.send_replace(phase);
        assert_eq!(
            rig.get("/readyz").await.json()["phase"],
            json!(phase.name())
        );
    }
}

#[tokio::test]
async fn the_time_is_that_of_the_answer() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", pass());
    for path in ["/health", "/readyz", "/livez", "/startupz"] {
        let at = async || {
            rig.get(path).await.json()["timestamp"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let first = at().await;
        while at().await == first {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

#[tokio::test]
async fn a_new_sample_shows_in_the_next_answer() {
    let rig = Rig::of([]);
    let token = CancellationToken::new();
    let sampler = Sampler::start("/", token.clone());
    let router = rig.router_of(|state| state.sampler(sampler.clone()));
    let metrics = async || {
        let answer = ask(&router, axum::http::Method::GET, "/readyz")
            .await
            .json();
        answer.get("metrics").cloned()
    };
    // The first answers come before the first sample and are kept as such.
    while metrics().await.is_none() {
        tokio::task::yield_now().await;
    }
    token.cancel();
    sampler.stopped().await;
}
