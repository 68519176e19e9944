//! Deployments that must fail, and what they leave behind.

use std::time::Duration;

use tria_deploy::{Desired, Options, Outcome, Phase, Stop};

use crate::{
    harness::{
        Collector, SENTINEL, assert_at_rest, deploy_with, deployed, desired, migrations, serving,
        state, try_deploy,
    },
    memory::{Behaviour, Inner, Memory},
};

/// Deploys over a release that serves; it must fail and leave that one untouched.
async fn fails(prepare: impl FnOnce(&mut Inner, &mut Desired)) -> (Memory, Outcome) {
    let memory = deployed(&["t1"]).await;
    let before = serving(&memory);
    let mut next = desired("t2");
    prepare(&mut memory.lock(), &mut next);
    let outcome = try_deploy(&memory, &next).await.unwrap();
    assert_eq!(
        serving(&memory),
        before,
        "the release that serves was touched"
    );
    assert_at_rest(&memory, "after the failure").await;
    (memory, outcome)
}

#[track_caller]
fn assert_failed(outcome: &Outcome, phase: Phase, code: &str) {
    let Outcome::Failed {
        phase: Some(at),
        problem,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!((*at, problem.code.as_str()), (phase, code), "{problem:?}");
    assert!(!problem.remedy.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_release_that_does_not_come_up_never_gets_traffic() {
    let cases = [
        (Behaviour::DoesNotBuild, Phase::Build, "build"),
        (Behaviour::MigrationFails, Phase::Startup, "migration"),
        (Behaviour::Crashes, Phase::Startup, "container_ended"),
        (
            Behaviour::NeverHealthy,
            Phase::Startup,
            "container_unhealthy",
        ),
        (Behaviour::FailsTests, Phase::Switch, "integration"),
    ];
    for (behaviour, phase, code) in cases {
        let (memory, outcome) = fails(|inner, _| {
            inner.behaviours.insert("t2".into(), behaviour);
        })
        .await;
        assert_failed(&outcome, phase, code);
        assert_eq!(outcome.exit_code().get(), 10 + phase.number());
        assert!(!memory.lock().containers.contains_key("tria-server-2"));
        assert!(!memory.lock().volumes.contains_key("tria-secrets-2"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_preflight_finds_is_told_before_anything_is_made() {
    type Prepare = fn(&mut Inner, &mut Desired);
    let cases: [(&str, Prepare); 4] = [
        ("disk_low", |inner, _| inner.disk_free_bytes = 1 << 20),
        ("clock_skew", |inner, _| {
            inner.clock_ahead = Duration::from_secs(90);
        }),
        ("tree_dirty", |_, desired| {
            desired.uncommitted = vec!["x.rs".into()];
        }),
        ("dns", |_, desired| {
            desired.domain = Some("nowhere.invalid".into());
        }),
    ];
    for (code, prepare) in cases {
        let (_, outcome) = fails(prepare).await;
        assert_failed(&outcome, Phase::Preflight, code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_taken_is_told_before_the_proxy_is_made() {
    let memory = Memory::new();
    memory.lock().taken_ports.insert(80);
    let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
    assert_failed(&outcome, Phase::Preflight, "port_taken");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_nearly_full_is_cleared_of_old_images_first() {
    let memory = deployed(&["t1", "t2"]).await;
    {
        // An image that a deployment left over which failed after its build.
        let mut inner = memory.lock();
        let mut left = inner.images.values().next().unwrap().clone();
        left.id = tria_deploy::engine::ImageId::new("sha256:left");
        inner.images.insert(left.id.clone(), left);
        inner.disk_free_bytes = (3 << 30) - 1;
    }
    let outcome = try_deploy(&memory, &desired("t3")).await.unwrap();
    assert_eq!(outcome, Outcome::Done { release: Some(3) });
    assert_at_rest(&memory, "cleared").await;
}

#[tokio::test(start_paused = true)]
async fn broken_rules_of_the_environment_are_all_told() {
    let (_, outcome) = fails(|inner, _| {
        inner.rules_broken = vec!["TAX_RATE is too large".into(), "SECRET_KEY is short".into()];
    })
    .await;
    assert_failed(&outcome, Phase::Environment, "environment");
    let text = &outcome.problem().unwrap().text;
    assert!(
        text.contains("TAX_RATE") && text.contains("SECRET_KEY"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_value_is_told_by_its_key() {
    let (_, outcome) = fails(|_, desired| {
        let pairs = desired.environment.iter();
        let kept = pairs.filter(|(key, _)| *key != "DATABASE_URL");
        desired.environment = kept
            .map(|(key, value)| {
                let value = secrecy::ExposeSecret::expose_secret(value).to_owned();
                (key.to_owned(), value)
            })
            .collect();
    })
    .await;
    assert_failed(&outcome, Phase::Environment, "definition");
    assert!(outcome.problem().unwrap().text.contains("DATABASE_URL"));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_ends_is_ended_by_its_deadline() {
    let (_, outcome) = fails(|inner, _| {
        inner
            .behaviours
            .insert("t2".into(), Behaviour::HangsStarting);
    })
    .await;
    assert_eq!(
        outcome,
        Outcome::TimedOut {
            phase: Phase::Startup
        }
    );
    assert_eq!(outcome.exit_code().get(), 70);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_takes_away_must_be_allowed() {
    let contract = migrations(&["V1__expand_a.sql", "V2__contract_b.sql"]);
    let (memory, outcome) = fails(|_, desired| desired.migrations.clone_from(&contract)).await;
    assert_failed(&outcome, Phase::Preflight, "contract_not_allowed");
    let next = Desired {
        migrations: contract,
        ..desired("t2")
    };
    let options = Options {
        allow_contract: true,
        ..Options::default()
    };
    let collector = Collector::default();
    let outcome = deploy_with(&memory, &next, &options, &Stop::new(), &collector).await;
    assert!(matches!(outcome, Some(Outcome::Done { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_behind_the_front_door_gives_the_traffic_back() {
    let (memory, outcome) = fails(|inner, _| {
        inner
            .behaviours
            .insert("t2".into(), Behaviour::FailsBehindTheDoor);
    })
    .await;
    assert!(matches!(outcome, Outcome::RolledBack { .. }), "{outcome:?}");
    assert_eq!(outcome.exit_code().get(), 20);
    // It is kept, so that it can be looked at, and goes with the next one that serves.
    assert!(memory.lock().containers.contains_key("tria-server-2"));
    assert_eq!(state(&memory).await.rejected.unwrap().number, 2);
    let outcome = try_deploy(&memory, &desired("t3")).await.unwrap();
    assert_eq!(outcome, Outcome::Done { release: Some(3) });
    assert!(!memory.lock().containers.contains_key("tria-server-2"));
    assert_at_rest(&memory, "after the correction").await;
}

#[tokio::test(start_paused = true)]
async fn without_an_old_release_a_failure_behind_the_door_degrades_and_deletes_nothing() {
    let memory = Memory::new();
    memory
        .lock()
        .behaviours
        .insert("t1".into(), Behaviour::FailsBehindTheDoor);
    let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
    assert!(matches!(outcome, Outcome::Degraded { .. }), "{outcome:?}");
    assert_eq!(serving(&memory).spec.name, "tria-server-1");
    // It is not good enough to be left alone the next time.
    let again = try_deploy(&memory, &desired("t1")).await.unwrap();
    assert!(matches!(again, Outcome::RolledBack { .. }), "{again:?}");
    let mended = try_deploy(&memory, &desired("t2")).await.unwrap();
    assert!(matches!(mended, Outcome::Done { .. }), "{mended:?}");
    assert_at_rest(&memory, "mended").await;
}

#[tokio::test(start_paused = true)]
async fn if_the_old_release_died_meanwhile_it_is_woken_before_it_gets_traffic() {
    let memory = deployed(&["t1"]).await;
    memory
        .lock()
        .behaviours
        .insert("t2".into(), Behaviour::FailsBehindTheDoor);
    // Its machine's memory ran out while the traffic was switched.
    memory.after_call("point to tria-server-2", |inner| {
        inner.containers.get_mut("tria-server-1").unwrap().ended = Some(137);
    });
    let outcome = try_deploy(&memory, &desired("t2")).await;
    assert!(
        matches!(outcome, Some(Outcome::RolledBack { .. })),
        "{outcome:?}"
    );
    assert_eq!(serving(&memory).spec.name, "tria-server-1");
    assert_at_rest(&memory, "woken").await;
}

#[tokio::test(start_paused = true)]
async fn an_old_release_that_cannot_be_stopped_degrades_and_the_next_run_stops_it() {
    let memory = deployed(&["t1"]).await;
    // Where the old one is stopped, found by a rehearsal in a world of its own.
    let rehearsal = deployed(&["t1"]).await;
    try_deploy(&rehearsal, &desired("t2")).await.unwrap();
    let log = rehearsal.fuse().log();
    let stop = log
        .iter()
        .position(|call| call == "stop tria-server-1")
        .unwrap();
    memory.fuse().break_from(stop);
    let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
    assert!(matches!(outcome, Outcome::Degraded { .. }), "{outcome:?}");
    assert_eq!(serving(&memory).spec.name, "tria-server-2");
    let memory = memory.next_process();
    let again = try_deploy(&memory, &desired("t2")).await.unwrap();
    assert_eq!(again, Outcome::Unchanged);
    assert_at_rest(&memory, "stopped").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_release_wrote_is_told_without_its_secrets() {
    let memory = deployed(&["t1"]).await;
    memory
        .lock()
        .behaviours
        .insert("t2".into(), Behaviour::Crashes);
    let collector = Collector::default();
    let next = desired("t2");
    deploy_with(
        &memory,
        &next,
        &Options::default(),
        &Stop::new(),
        &collector,
    )
    .await;
    let text = collector.text();
    assert!(text.contains("cannot log in with [redacted]"), "{text}");
    assert!(!text.contains(SENTINEL), "{text}");
}
