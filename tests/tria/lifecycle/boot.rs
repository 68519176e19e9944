//! SIGTERM at any moment of the boot: the process ends by itself, with a code that says why.

use std::{fs, sync::Arc, time::Duration};

use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until},
};
use tria_tests::{ClosedPort, Ended, Fixture, Keys, Running};

/// How many boot at the same time; with more the machine is what is measured.
const AT_ONCE: usize = 4;

/// The bit of SIGTERM in the masks of `proc_pid_status(5)`.
const SIGTERM: u64 = 1 << 14;

/// Whether the process listens to SIGTERM already. Before that the kernel ends it.
fn listens(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|caught| caught & SIGTERM != 0)
}

/// What came of one that was told to stop after so long.
struct Stopped {
    after: Duration,
    listened: bool,
    ended: Ended,
}

async fn stopped(keys: Arc<Keys>, after: Duration) -> Stopped {
    let begun = Instant::now();
    let running = Running::serve(&keys);
    sleep_until(begun + after).await;
    let listened = listens(running.pid());
    running.signal("TERM");
    let ended = spawn_blocking(move || running.ended()).await;
    Stopped {
        after,
        listened,
        ended: ended.expect("it ends"),
    }
}

/// Stops one after each of these times, some at once.
async fn all_stopped(keys: &Keys, times: impl IntoIterator<Item = Duration>) -> Vec<Stopped> {
    let keys = Arc::new(keys.clone());
    let (mut running, mut all) = (JoinSet::new(), Vec::new());
    for after in times {
        if running.len() == AT_ONCE {
            all.push(
                running
                    .join_next()
                    .await
                    .expect("one runs")
                    .expect("no panic"),
            );
        }
        running.spawn(stopped(Arc::clone(&keys), after));
    }
    all.extend(running.join_all().await);
    all
}

fn expect_one_of(all: &[Stopped], codes: &[i32]) {
    for Stopped {
        after,
        listened,
        ended,
    } in all
    {
        let is_fine = match ended.code {
            Some(code) => codes.contains(&code),
            // By the signal, before there was anybody to hear it.
            None => !listened,
        };
        assert!(
            is_fine,
            "at {after:?} ({listened}): {:?}\n{}",
            ended.code,
            ended.text()
        );
        assert!(
            ended.elapsed < *after + Duration::from_secs(10),
            "{after:?}"
        );
    }
    let heard = all.iter().filter(|one| one.ended.code == Some(0)).count();
    // How many are so quick that nothing is left to interrupt is for the machine to say.
    assert!(heard > 0, "none of {} heard it", all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_millisecond_of_the_first_200_it_ends_with_0() {
    let fixture = Fixture::migrated().await;
    let times = (0..200).map(Duration::from_millis);
    expect_one_of(&all_stopped(&fixture.keys, times).await, &[0]);
    fixture.expect_nothing_left().await;
}

/// The database is empty: the start is in the middle of its migrations then, or after them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_migrates_it_ends_with_0_and_leaves_no_half_migration() {
    let fixture = Fixture::empty().await;
    let times = (0..20).map(|step| Duration::from_millis(20 + 15 * step));
    // Collections are missing, which refuses the start unless the signal comes first.
    expect_one_of(&all_stopped(&fixture.keys, times).await, &[0, 69]);
    fixture.run(&["migrate"]).expect(0, &["MIGRATION COMPLETE"]);
    let running = fixture.serve();
    running.ready();
    running.signal("TERM");
    running.ended().expect(0, &[]);
    fixture.expect_nothing_left().await;
}

/// The start waits for what is not there; the signal ends the wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_waits_for_a_dependency_it_ends_with_0_or_the_code_of_the_deadline() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    fixture
        .set("REDIS_PORT", port.number().to_string())
        .set("STARTUP_DEADLINE", "700ms");
    let times = (0..12).map(|step| Duration::from_millis(100 + 75 * step));
    expect_one_of(&all_stopped(&fixture.keys, times).await, &[0, 75]);
    fixture.expect_nothing_left().await;
}
