//! Deployments that go well.

use std::time::Duration;

use tria_deploy::{Desired, Options, Outcome, Stop, engine::ContainerState, plan};

use crate::harness::{
    Collector, SENTINEL, assert_at_rest, definition, deploy_with, deployed, desired, serving,
    state, try_deploy,
};

#[tokio::test(start_paused = true)]
async fn the_first_deployment_makes_everything_and_serves() {
    let memory = deployed(&["t1"]).await;
    assert_at_rest(&memory, "first").await;
    assert_eq!(serving(&memory).spec.name, "tria-server-1");
    let names: Vec<String> = memory.lock().containers.keys().cloned().collect();
    assert_eq!(
        names,
        ["tria-caddy", "tria-postgres", "tria-redis", "tria-server-1"]
    );
    let files = memory.lock().volumes["tria-secrets-1"].clone();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["database_url"]);
    // A folder that is bound is copied: the engine's machine may have none.
    let files = memory.lock().volumes["tria-files-caddy-etc-caddy"].clone();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["Caddyfile"]);
}

#[tokio::test(start_paused = true)]
async fn the_next_one_serves_and_the_one_before_is_kept_as_the_way_back() {
    let memory = deployed(&["t1", "t2", "t3"]).await;
    assert_at_rest(&memory, "third").await;
    let state = state(&memory).await;
    assert_eq!(state.current.unwrap().number, 3);
    assert_eq!(state.previous.unwrap().number, 2);
    let inner = memory.lock();
    assert!(!inner.containers.contains_key("tria-server-1"));
    let before = &inner.containers["tria-server-2"];
    assert_eq!(inner.state_of(before), ContainerState::Exited(0));
    assert_eq!(inner.images.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_unchanged_is_left_alone_at_once() {
    let memory = deployed(&["t1"]).await;
    let before = serving(&memory);
    let started = tokio::time::Instant::now();
    let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
    assert_eq!(outcome, Outcome::Unchanged);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(serving(&memory), before);
    assert!(memory.fuse().calls() < 25, "{:?}", memory.fuse().log());
}

#[tokio::test(start_paused = true)]
async fn an_edited_environment_is_a_new_release() {
    let memory = deployed(&["t1"]).await;
    let edited = Desired {
        definition: definition("0.10"),
        ..desired("t1")
    };
    let planned = plan(&memory.world(), &edited).await.unwrap();
    assert_eq!(planned.changes, ["TAX_RATE changed"]);
    let outcome = try_deploy(&memory, &edited).await.unwrap();
    assert_eq!(outcome, Outcome::Done { release: Some(2) });
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_is_a_new_release_told_by_its_key() {
    let memory = deployed(&["t1"]).await;
    let mut rotated = desired("t1");
    let password = ("POSTGRES_PASSWORD", SENTINEL.to_owned());
    let url = (
        "DATABASE_URL",
        "postgres://tria:another-password@postgres/tria".to_owned(),
    );
    rotated.environment = [password, url].into_iter().collect();
    let planned = plan(&memory.world(), &rotated).await.unwrap();
    assert_eq!(planned.changes, ["DATABASE_URL changed"]);
    let outcome = try_deploy(&memory, &rotated).await.unwrap();
    assert_eq!(outcome, Outcome::Done { release: Some(2) });
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let memory = deployed(&["t1"]).await;
    let documents = memory.lock().documents.clone();
    let containers = memory.lock().containers.clone();
    let planned = plan(&memory.world(), &desired("t2")).await.unwrap();
    assert_eq!(planned.changes, ["the source changed from t1 to t2"]);
    assert_eq!(planned.downtime_ms, 0);
    assert_eq!(memory.lock().documents, documents);
    assert_eq!(memory.lock().containers, containers);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_somebody_broke_is_made_anew() {
    let memory = deployed(&["t1"]).await;
    memory.lock().must_serve = false;
    memory
        .lock()
        .containers
        .get_mut("tria-server-1")
        .unwrap()
        .ended = Some(137);
    let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
    assert_eq!(outcome, Outcome::Done { release: Some(2) });
    assert_at_rest(&memory, "repaired").await;
}

#[tokio::test(start_paused = true)]
async fn the_old_release_may_finish_what_it_has_begun() {
    let memory = deployed(&["t1"]).await;
    memory.lock().in_flight = 3;
    let options = Options::default();
    let collector = Collector::default();
    let started = tokio::time::Instant::now();
    let outcome = deploy_with(&memory, &desired("t2"), &options, &Stop::new(), &collector).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(2) }));
    assert!(started.elapsed() >= options.drain);
    let text = collector.text();
    assert!(
        text.contains("tria-server-1 still answers 3 requests"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_phases_are_told_in_order() {
    let memory = deployed(&[]).await;
    let collector = Collector::default();
    deploy_with(
        &memory,
        &desired("t1"),
        &Options::default(),
        &Stop::new(),
        &collector,
    )
    .await;
    let text = collector.text();
    let phases: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("PHASE"))
        .collect();
    assert_eq!(phases.len(), 7, "{text}");
    assert!(phases[0].starts_with("PHASE 1: Pre-flight"));
    assert!(
        text.ends_with("s)") && text.contains("DONE: release 1 serves"),
        "{text}"
    );
}
