//! Going back.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tria_deploy::{Desired, Options, Outcome, Stop};

use crate::{
    harness::{
        Collector, assert_at_rest, deploy_with, deployed, desired, migrations, serving, state,
        try_rollback,
    },
    memory::{Behaviour, Memory},
};

/// Release 2 took away what release 1 needs; then orders came in.
async fn across_contract() -> (Memory, Desired) {
    let memory = deployed(&["t1"]).await;
    let next = Desired {
        migrations: migrations(&["V1__expand_a.sql", "V2__contract_b.sql"]),
        ..desired("t2")
    };
    let options = Options {
        allow_contract: true,
        ..Options::default()
    };
    let collector = Collector::default();
    let outcome = deploy_with(&memory, &next, &options, &Stop::new(), &collector).await;
    assert!(matches!(outcome, Some(Outcome::Done { .. })), "{outcome:?}");
    *memory.lock().rows.get_mut("public.orders").unwrap() += 4;
    sleep(Duration::from_secs(2)).await;
    (memory.next_process(), next)
}

#[tokio::test(start_paused = true)]
async fn the_release_before_serves_again_in_seconds() {
    let memory = deployed(&["t1", "t2"]).await;
    let started = Instant::now();
    let outcome = try_rollback(&memory, &desired("t2"), false).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(1) }));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(serving(&memory).spec.name, "tria-server-1");
    assert_at_rest(&memory, "rolled back").await;
    // And forth again.
    let memory = memory.next_process();
    let outcome = try_rollback(&memory, &desired("t2"), false).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(2) }));
    assert_at_rest(&memory, "and forth").await;
}

#[tokio::test(start_paused = true)]
async fn without_a_release_before_it_is_refused() {
    let memory = deployed(&["t1"]).await;
    let outcome = try_rollback(&memory, &desired("t1"), false).await.unwrap();
    assert_eq!(outcome.exit_code().get(), 2);
    assert_eq!(outcome.problem().unwrap().code, "no_previous");
}

#[tokio::test(start_paused = true)]
async fn across_a_migration_that_took_away_it_is_refused_and_says_what_would_be_lost() {
    let (memory, next) = across_contract().await;
    let before = serving(&memory);
    let outcome = try_rollback(&memory, &next, false).await.unwrap();
    let problem = outcome.problem().unwrap();
    assert_eq!(
        (outcome.exit_code().get(), problem.code.as_str()),
        (2, "across_contract")
    );
    assert!(problem.text.contains("2 contract_b"), "{problem:?}");
    assert!(
        problem
            .text
            .contains("public.orders: 3 rows then, 7 rows now"),
        "{problem:?}"
    );
    assert_eq!(serving(&memory), before);
    assert_at_rest(&memory, "refused").await;
}

#[tokio::test(start_paused = true)]
async fn with_a_restore_it_goes_back_across_it() {
    let (memory, next) = across_contract().await;
    memory.lock().must_serve = false;
    let outcome = try_rollback(&memory, &next, true).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(1) }));
    assert_eq!(memory.lock().rows["public.orders"], 3);
    assert_at_rest(&memory, "restored").await;
}

#[tokio::test(start_paused = true)]
async fn if_the_release_before_does_not_come_up_nothing_changes() {
    let memory = deployed(&["t1", "t2"]).await;
    memory
        .lock()
        .behaviours
        .insert("t1".into(), Behaviour::NeverHealthy);
    let before = serving(&memory);
    let outcome = try_rollback(&memory, &desired("t2"), false).await.unwrap();
    assert_eq!(outcome.exit_code().get(), 10, "{outcome:?}");
    assert_eq!(serving(&memory), before);
    assert_eq!(state(&memory).await.previous.unwrap().number, 1);
    assert_at_rest(&memory, "stayed").await;
}
