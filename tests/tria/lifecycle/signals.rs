//! Signals that come twice, and what they find.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tria_devstack::{Postgres, PostgresOptions};
use tria_tests::{DeafClient, Fixture, Running};

/// How long a request that nobody takes holds up the stop.
const DRAIN: Duration = Duration::from_secs(4);

/// A service with a request in flight that nobody will take.
async fn held_up(fixture: &mut Fixture) -> (Running, DeafClient) {
    fixture.set("DRAIN", format!("{}s", DRAIN.as_secs()));
    let running = fixture.serve();
    let url = running.ready();
    let address = url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let client = DeafClient::ask(address).await;
    (running, client)
}

/// Supervisors and wrappers are known to send the same signal twice (fly.io, npm, tini -g).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sigterm_that_comes_again_after_10_ms_forces_nothing() {
    let mut fixture = Fixture::migrated().await;
    let (running, _client) = held_up(&mut fixture).await;
    let begun = Instant::now();
    running.signal("TERM");
    sleep(Duration::from_millis(10)).await;
    running.signal("TERM");
    running.ended().expect(1, &["were cut off"]);
    assert!(begun.elapsed() >= DRAIN, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sigterm_that_comes_again_after_2_s_forces_the_end() {
    let mut fixture = Fixture::migrated().await;
    let (running, _client) = held_up(&mut fixture).await;
    let begun = Instant::now();
    running.signal("TERM");
    sleep(Duration::from_secs(2)).await;
    running.signal("TERM");
    running.ended().expect(143, &[]);
    assert!(begun.elapsed() < DRAIN, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_ctrl_c_forces_the_end_at_once() {
    let mut fixture = Fixture::migrated().await;
    let (running, _client) = held_up(&mut fixture).await;
    let begun = Instant::now();
    running.signal("INT");
    running.wait_for("Stopping: SIGINT");
    running.signal("INT");
    running.ended().expect(130, &[]);
    assert!(begun.elapsed() < DRAIN, "{:?}", begun.elapsed());
}

/// A pool whose server is gone is empty as soon as it is closed; nothing waits for an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_that_goes_while_it_stops_does_not_hold_up_the_end() {
    let postgres = Postgres::start(PostgresOptions::default()).await;
    let postgres = postgres.expect("a PostgreSQL");
    let url = postgres.create_database("app").await.expect("a database");
    let mut fixture = Fixture::empty().await;
    fixture.set("DATABASE_URL", url).set("DRAIN", "5s");
    fixture.run(&["migrate"]).expect(0, &["MIGRATION COMPLETE"]);
    // Silent is worse than gone: nobody says that the connections are no more. By the end of the
    // pre-drain checks are waiting for an answer.
    fixture.set("PRE_DRAIN", "8s");
    let running = fixture.serve();
    running.ready();
    running.signal("TERM");
    running.wait_for("Stopping: SIGTERM");
    postgres.pause();
    let begun = Instant::now();
    let ended = running.ended();
    postgres.resume();
    ended.expect(0, &["STOPPED (SIGTERM"]);
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );

    fixture.set("PRE_DRAIN", "1s");
    let running = fixture.serve();
    running.ready();
    running.signal("TERM");
    running.wait_for("Stopping: SIGTERM");
    drop(postgres);
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
}
