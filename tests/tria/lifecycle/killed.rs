//! `kill -9`, and a start right after it.

use std::time::Duration;

use tokio::time::sleep;
use tria_tests::{Fixture, Running, command};

/// Killed at moments all over a migration: the lock is gone with the process, and what
/// was half done is done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_after_a_kill_finds_no_lock_and_nothing_half_done() {
    for after in [30, 60, 90, 120, 150, 180, 220, 260] {
        let mut fixture = Fixture::empty().await;
        let killed = Running::start(command(&["migrate"], &fixture.keys));
        sleep(Duration::from_millis(after)).await;
        killed.signal("KILL");
        let code = killed.ended().code;
        assert!(matches!(code, None | Some(0)), "after {after} ms: {code:?}");
        // No longer than a start that finds all well; a lock that was left would hold it up.
        fixture.set("STARTUP_DEADLINE", "10s");
        fixture.run(&["migrate"]).expect(0, &["MIGRATION COMPLETE"]);
        let running = fixture.serve();
        running.ready();
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                     (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(fixture.count(locks).await, 0, "after {after} ms");
        running.signal("TERM");
        running.ended().expect(0, &[]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_killed_while_serving_leaves_no_session_behind() {
    let fixture = Fixture::migrated().await;
    let killed = fixture.serve();
    killed.ready();
    killed.signal("KILL");
    assert_eq!(killed.ended().code, None);
    fixture.expect_nothing_left().await;
    let running = fixture.serve();
    running.ready();
    running.signal("TERM");
    running.ended().expect(0, &[]);
}
