//! PostHog/posthog#46457, neochaotic/leoflow#1042: the probe queued behind the traffic in the
//! pool, and every replica went unready together. A pool in full use is not a database down.

use std::time::{Duration, Instant};

use tria_check::Status;
use tria_db_check::{DatabaseCheck, SchemaCheck, SchemaSpec};
use tria_devstack::{FaultProxy, Mode};

use crate::support::*;

#[tokio::test]
async fn a_pool_in_full_use_is_a_warning_and_soon_told() {
    let (_stack, database) = database().await;
    let application = pool(database.url(), 2);
    let _held = (
        application.get().await.unwrap(),
        application.get().await.unwrap(),
    );
    let check = DatabaseCheck::new(application.clone());

    let begun = Instant::now();
    let outcome = run(&check).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it waits 500 ms of 5 s"
    );
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (Status::Warn, vec!["pool_busy"])
    );
    assert_eq!(number(&outcome, "pool_checked_out"), 2);
    assert_eq!(number(&outcome, "pool_max"), 2);
    assert_eq!(number(&outcome, "pool_waiting"), 0, "it has left the queue");

    let patient = check.patience(Duration::from_millis(20));
    conforms(&patient, database.url()).await;
    let spec = SchemaSpec::new(1, []).unwrap();
    let schema = run(&SchemaCheck::new(application, spec)).await;
    assert_eq!(codes(&schema), ["pool_busy"]);
}

#[tokio::test]
async fn a_probe_pool_proves_the_database_all_the_same() {
    let (_stack, database) = database().await;
    let application = pool(database.url(), 1);
    let held = application.get().await.unwrap();
    let probe = pool(database.url(), 1);
    let check = DatabaseCheck::new(application)
        .probe_pool(probe.clone())
        .patience(Duration::from_millis(20));
    let outcome = conforms(&check, database.url()).await;
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (Status::Warn, vec!["ok", "pool_busy"])
    );

    drop(held);
    let before = probe.status().size;
    assert_eq!(codes(&run(&check).await), ["ok"]);
    assert_eq!(probe.status().size, before);
}

#[tokio::test]
async fn a_database_down_behind_a_busy_pool_is_down() {
    let (stack, database) = database().await;
    let upstream = format!("127.0.0.1:{}", stack.postgres_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    let port = stack.postgres_port().to_string();
    let through = database.url().replace(&port, &proxy.port().to_string());
    let application = pool(&through, 1);
    let _held = application.get().await.unwrap();
    let check = DatabaseCheck::new(application)
        .probe_pool(pool(&through, 1))
        .patience(Duration::from_millis(20));
    proxy.set(Mode::Refuse).await;
    let outcome = conforms(&check, &through).await;
    assert_refused(&outcome, "connect_refused", TRANSIENT);
    assert_eq!(codes(&outcome), ["connect_refused", "pool_busy"]);
}

/// The reverse mistake: every place of the pool is taken up by an attempt to reach a database
/// that does not answer.
#[tokio::test]
async fn attempts_to_connect_are_no_load() {
    let (stack, database) = database().await;
    let upstream = format!("127.0.0.1:{}", stack.postgres_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    proxy.set(Mode::BlackHole).await;
    let port = stack.postgres_port().to_string();
    let application = pool(&database.url().replace(&port, &proxy.port().to_string()), 2);
    let traffic: Vec<_> = (0..6)
        .map(|_| {
            let application = application.clone();
            tokio::spawn(async move { while application.get().await.is_err() {} })
        })
        .collect();
    let check = DatabaseCheck::new(application)
        .patience(Duration::from_millis(50))
        .configure(|meta| meta.timeout(Duration::from_secs(1)));
    let outcome = run(&check).await;
    assert_refused(&outcome, "connect_timeout", TRANSIENT);
    for task in traffic {
        task.abort();
    }
}

#[tokio::test]
async fn a_moment_of_crowding_is_nothing() {
    let (_stack, database) = database().await;
    let application = pool(database.url(), 1);
    let held = application.get().await.unwrap();
    let check = DatabaseCheck::new(application.clone()).patience(Duration::from_secs(3));
    let release = tokio::spawn(async move {
        while application.status().waiting == 0 {
            tokio::task::yield_now().await;
        }
        drop(held);
    });
    assert_eq!(codes(&run(&check).await), ["ok"]);
    release.await.unwrap();
}

#[tokio::test]
async fn a_closed_pool_is_told() {
    let (_stack, database) = database().await;
    let application = pool(database.url(), 1);
    application.close();
    let outcome = conforms(&DatabaseCheck::new(application), database.url()).await;
    assert_refused(&outcome, "pool_closed", tria_check::Retry::Permanent);
}
