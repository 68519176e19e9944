//! Real processes whose end hangs.

use std::time::{Duration, Instant};

use crate::process::Process;

/// The grace of the children.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// How much later than its deadline a process may end.
const OVERRUN: Duration = Duration::from_millis(50);

/// Waits for a line, sends SIGTERM, and waits for the end: code, words, and how long it took.
fn terminated(scenario: &str, once: &str) -> (Option<i32>, String, Duration) {
    let mut process = Process::spawn(scenario);
    process.wait_for(once);
    process.signal("TERM");
    let begun = Instant::now();
    let (code, said) = process.end();
    (code, said, begun.elapsed())
}

/// On a busy machine anybody is late at times: one good end out of a few counts.
fn in_time(scenario: &str, once: &str, code: i32, words: &[&str]) {
    let mut ends = Vec::new();
    for _ in 0..5 {
        let (ended, said, took) = terminated(scenario, once);
        assert_eq!(ended, Some(code), "{said}");
        // The clock of the child began when it got the signal, before ours.
        let late = took.saturating_sub(GRACE);
        if late < OVERRUN && words.iter().all(|word| said.contains(word)) {
            return;
        }
        ends.push((late, said));
    }
    panic!("no end in time, with {words:?}: {ends:#?}");
}

#[test]
fn with_every_thread_of_the_runtime_blocked_the_process_ends_in_time_and_says_what_hung() {
    let words = [
        "not stopped within 500ms, exiting at once; \
         still pending: database (up), worker (up), tasks (up), task idle",
        r#""message":"stop deadline exceeded, exiting at once""#,
    ];
    in_time("doomed-wedged", "event wedged", 1, &words);
}

#[test]
fn with_the_log_stuck_the_process_ends_in_time_and_says_so_elsewhere() {
    let words = ["not stopped within 500ms, exiting at once"];
    in_time("doomed-log", "event stuck", 1, &words);
}

#[test]
fn before_there_is_anything_to_stop_the_process_ends_in_time_too() {
    let words = ["still pending: what comes before the hooks"];
    in_time("doomed-early", "event waiting", 1, &words);
}

#[test]
fn a_rollback_that_hangs_ends_with_the_code_of_what_it_rolls_back() {
    let mut process = Process::spawn("doomed-start");
    process.wait_for("event blocking");
    let (code, said) = process.end();
    assert_eq!(code, Some(69), "{said}");
    assert!(
        said.contains("still pending: database (stopping)"),
        "{said}"
    );
}

#[test]
fn what_hangs_after_the_run_is_ended_too() {
    let (code, said, _) = terminated("doomed-late", "event ready");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("event ended 0"), "{said}");
    assert!(
        said.contains("still pending: what comes after the hooks"),
        "{said}"
    );
}

#[test]
fn a_job_that_blocks_its_thread_does_not_hold_the_exit() {
    // tokio-rs/tokio#5338: the runtime's drop waited for a blocking job to its end.
    let (code, said, took) = terminated("doomed-job", "event ready");
    assert_eq!(code, Some(0), "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn once_it_is_called_off_the_process_lives() {
    let (code, said) = Process::spawn("doomed-pardoned").end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_comes_last_runs_without_the_runtime_and_holds_nobody_up() {
    // open-telemetry/opentelemetry-rust#868: the flush waited for the runtime that it ran in.
    let (code, said, took) = terminated("doomed-finale", "event ready");
    assert_eq!(code, Some(0), "{said}");
    let words = [
        "event flushed",
        "event `metrics` did not end within 100ms",
        "event log ended",
    ];
    for word in words {
        assert!(said.contains(word), "{word} in {said}");
    }
    assert!(took < Duration::from_secs(5), "{took:?}");
}
