//! Checks run because somebody asked.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::http::Method;
use futures_util::{future::join_all, poll};
use serde_json::json;
use tokio::{
    sync::Semaphore,
    time::{advance, sleep, timeout},
};
use tria_check::{CheckMeta, Cost, Group, Registry};
use tria_health::Access;

use crate::rig::{Rig, Runs, ask, fail, meta, pass, scripted};

/// A service whose checks answer when they are let go.
fn gated(metas: impl IntoIterator<Item = CheckMeta>) -> (Rig, Vec<Runs>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let (mut registry, mut all_runs) = (Registry::builder(), Vec::new());
    for meta in metas {
        let gate = Arc::clone(&gate);
        let (check, runs) = scripted(meta, move |_| {
            let gate = Arc::clone(&gate);
            async move {
                drop(gate.acquire().await);
                pass()
            }
        });
        registry = registry.register(check);
        all_runs.push(runs);
    }
    (Rig::over(registry.build().unwrap()), all_runs, gate)
}

#[tokio::test]
async fn only_who_has_the_token_may_have_checks_run() {
    let (check, runs) = scripted(meta("it"), |_| async { pass() });
    let rig = Rig::over(Registry::builder().register(check).build().unwrap());
    for path in ["/health?fresh=1", "/readyz?fresh=true"] {
        let none = rig.get(path).await;
        assert_eq!(none.status, 401, "{path}");
        assert_eq!(
            none.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(
            none.header("www-authenticate"),
            Some("Bearer realm=\"diagnostics\"")
        );
        assert_eq!(none.header("cache-control"), Some("no-store"));
        assert_eq!(none.json()["status"], json!(401));
        let wrong = rig.get_with(path, &[("authorization", "Bearer x")]).await;
        assert_eq!(wrong.status, 401, "{path}");
    }
    assert_eq!(runs.count(), 0);
    assert_eq!(rig.get_authorized("/readyz").await.status, 503);
    assert_eq!(rig.get_authorized("/readyz?fresh=0").await.status, 503);
    assert_eq!(runs.count(), 0, "a plain probe runs nothing, whoever asks");
    assert_eq!(rig.get_authorized("/readyz?fresh=1").await.status, 200);
    assert_eq!(runs.count(), 1);
    let open = rig.router_of(|state| state.access(Access::Open));
    assert_eq!(ask(&open, Method::GET, "/health?fresh=1").await.status, 200);
}

/// goss-org/goss#1110, dotnet/aspnetcore#2580: a thundering herd.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_at_once_run_each_check_exactly_once() {
    let names = ["database", "redis", "openai", "chromadb"];
    // The runs last until all callers are here, however long a busy machine takes for them.
    let patient = names.map(|name| meta(name).timeout(Duration::from_secs(600)));
    let (rig, runs, gate) = gated(patient);
    let rig = Arc::new(rig);
    let here = Arc::new(Semaphore::new(0));
    let callers = (0..1_000).map(|_| {
        let (rig, here) = (Arc::clone(&rig), Arc::clone(&here));
        tokio::spawn(async move {
            let mut answer = pin!(rig.get_authorized("/readyz?fresh=1"));
            // The first poll begins the runs, or joins those that are under way.
            assert!(poll!(answer.as_mut()).is_pending());
            here.add_permits(1);
            answer.await.status
        })
    });
    let callers: Vec<_> = callers.collect();
    let _all = here.acquire_many(1_000).await.unwrap();
    gate.add_permits(names.len());
    for answered in join_all(callers).await {
        assert_eq!(answered.unwrap(), 200);
    }
    let counts: Vec<u32> = runs.iter().map(Runs::count).collect();
    assert_eq!(counts, [1; 4]);
}

#[tokio::test(start_paused = true)]
async fn asking_again_at_once_gets_the_run_of_before() {
    let (checks, runs): (Vec<_>, Vec<_>) = [
        meta("network"),
        meta("metered").cost(Cost::Metered),
        meta("local").cost(Cost::Local),
    ]
    .map(|meta| scripted(meta, |_| async { pass() }))
    .into_iter()
    .unzip();
    let registry = checks
        .into_iter()
        .fold(Registry::builder(), tria_check::RegistryBuilder::register);
    let rig = Rig::over(registry.build().unwrap());
    let counts = || runs.iter().map(Runs::count).collect::<Vec<_>>();
    for (wait, expected) in [
        (0, [1, 1, 1]),
        (999, [1, 1, 1]),
        (1, [2, 1, 2]),
        (9_000, [3, 2, 3]),
    ] {
        advance(Duration::from_millis(wait)).await;
        rig.get_authorized("/readyz?fresh=1").await;
        assert_eq!(counts(), expected, "after {wait} ms more");
    }
}

/// alexliesenfeld/health: a client's disconnect was recorded as a check's timeout.
#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_neither_cancels_the_run_nor_counts_as_a_failure() {
    let (rig, runs, gate) = gated([meta("it")]);
    let impatient = rig.get_authorized("/readyz?fresh=1");
    assert!(timeout(Duration::from_millis(1), impatient).await.is_err());
    assert_eq!(runs[0].count(), 1);
    gate.add_permits(1);
    // The run that the caller began goes on, and its result is taken in.
    while rig.readyz().await != 200 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(runs[0].count(), 1);
    let reading = rig.snapshot.read("it").unwrap();
    assert_eq!(reading.history().unwrap().consecutive_failures(), 0);
}

/// withcoral/coral#1645: a convoy behind one stuck probe.
#[tokio::test(start_paused = true)]
async fn a_stuck_check_holds_a_caller_for_its_timeout_and_no_longer() {
    let (rig, _, _gate) = gated([meta("stuck")]);
    let begun = tokio::time::Instant::now();
    let answer = rig.get_authorized("/readyz?fresh=1").await;
    assert_eq!(answer.status, 503);
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(rig.service("stuck").await["code"], json!("timeout"));
}

#[tokio::test(start_paused = true)]
async fn deep_diagnostics_run_what_readiness_does_not() {
    let login = meta("database.login").groups([Group::Diagnostics]);
    let startup = meta("database.migrations").groups([Group::Startup]);
    let (login, logins) = scripted(login, |_| async { fail() });
    let (startup, migrations) = scripted(startup, |_| async { pass() });
    let (main, mains) = scripted(meta("database"), |_| async { pass() });
    let registry = Registry::builder()
        .register(main)
        .register(login)
        .register(startup);
    let rig = Rig::over(registry.build().unwrap());
    let counts = || (mains.count(), logins.count(), migrations.count());
    rig.get_authorized("/readyz?fresh=1").await;
    assert_eq!(counts(), (1, 0, 0));
    rig.get_authorized("/api/v1/health/diagnostics").await;
    assert_eq!(counts(), (1, 0, 0));
    advance(Duration::from_secs(2)).await;
    let answer = rig
        .get_authorized("/api/v1/health/diagnostics?deep=1")
        .await;
    assert_eq!(counts(), (2, 1, 0), "what a start alone asks is left alone");
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert_eq!(told["checks"][1]["name"], json!("database.login"));
    assert_eq!(told["checks"][1]["code"], json!("broken"));
    assert_eq!(
        told["status"],
        json!("healthy"),
        "it is not of the readiness group"
    );
}
