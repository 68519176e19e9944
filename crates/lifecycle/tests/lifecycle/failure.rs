//! A start that fails or is interrupted.

use std::{future::pending, sync::mpsc, thread};

use tokio::time::{Instant, sleep};
use tria_check::Phase;
use tria_lifecycle::{
    Hook, HookError, Lifecycle, LifecycleError, RunReport, ShutdownReason,
    StepOutcome::{self, Done, Failed, Interrupted, TimedOut, Waiting},
};

use crate::journal::{Journal, ms};

fn start_outcomes(report: &RunReport) -> Vec<StepOutcome> {
    report.hooks.iter().map(|hook| hook.start.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_cancels_what_is_in_flight_and_stops_what_had_started() {
    let journal = Journal::open();
    let (patient, interrupted) = (journal.clone(), journal.clone());
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 10, 10))
        .hook(journal.hook("b", ["a"], 10, 10))
        .hook(Hook::new("broken").after(["a"]).on_start(|_| async {
            sleep(ms(50)).await;
            Err(HookError::new("no such role").with_exit_code(69))
        }))
        .hook(Hook::new("patient").on_start(|cx| async move {
            let waited = cx.interruptible(pending::<()>()).await;
            patient.write("interrupted patient");
            waited
        }))
        .hook(
            // It gets its first answer although it was cancelled before.
            Hook::new("asking")
                .on_start(|cx| async move {
                    cx.cancelled().await;
                    sleep(ms(40)).await;
                    interrupted.write("+asking");
                    Ok(())
                })
                .on_stop({
                    let journal = journal.clone();
                    |_| async move {
                        journal.write("-asking");
                        Ok(())
                    }
                }),
        )
        .hook(journal.hook("never", ["broken"], 10, 10))
        .build()
        .unwrap();
    let report = lifecycle.run().await;

    let mut entries = journal.timed();
    entries.sort();
    let expected = [
        (10, "+a"),
        (20, "+b"),
        (60, "interrupted patient"),
        (100, "+asking"),
        (100, "-asking"),
        (110, "-b"),
        (120, "-a"),
    ];
    assert_eq!(entries, expected.map(|(at, entry)| (at, entry.to_owned())));
    assert_eq!(
        start_outcomes(&report),
        [Done, Done, Failed, Interrupted, Done, Waiting]
    );
    assert_eq!((report.phase, report.exit_code), (Phase::Failed(69), 69));
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert_eq!(
        report.reason,
        Some(ShutdownReason::StartFailed {
            hook: "broken".into()
        })
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_up_without_a_start_is_stopped_before_all_that_it_comes_after() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("pool", [], 10, 10))
        .hook(
            Hook::new("broken")
                .after(["pool"])
                .on_start(|_| async { Err(HookError::new("no such role").with_exit_code(69)) }),
        )
        .hook(journal.hook("never", ["broken"], 10, 10))
        .hook(
            journal
                .hook("server", ["never"], 10, 50)
                .stop_without_start(),
        )
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(journal.entries(), ["+pool", "-server", "-pool"]);
    assert_eq!(journal.at("-pool"), 70, "the pool waits for the server");
    assert_eq!(start_outcomes(&report), [Done, Failed, Waiting, Waiting]);
    assert_eq!(report.hook("never").unwrap().stop.outcome, Waiting);
    assert_eq!(report.phase, Phase::Failed(69));
}

#[tokio::test(start_paused = true)]
async fn what_is_up_without_a_start_is_stopped_also_where_its_start_failed() {
    let journal: Journal = Journal::open();
    let stops = journal.clone();
    let lifecycle = Lifecycle::builder()
        .hook(
            Hook::new("server")
                .on_start(|_| async { Err("no".into()) })
                .on_stop(|_| async move {
                    stops.write("-server");
                    Ok(())
                })
                .stop_without_start(),
        )
        .build()
        .unwrap();
    assert_eq!(lifecycle.run().await.phase, Phase::Failed(70));
    assert_eq!(journal.entries(), ["-server"]);
}

#[tokio::test(start_paused = true)]
async fn one_run_reports_every_failure_that_settles() {
    let fails = |name: &str, after_ms: u64, code: u8| {
        Hook::new(name).on_start(move |_| async move {
            sleep(ms(after_ms)).await;
            Err(HookError::new("refused").with_exit_code(code))
        })
    };
    let lifecycle = Lifecycle::builder()
        .hook(fails("redis", 10, 75))
        .hook(fails("database", 20, 69))
        .hook(fails("model", 30, 69))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    let hooks: Vec<_> = report
        .errors
        .iter()
        .filter_map(LifecycleError::hook)
        .collect();
    assert_eq!(hooks, ["redis", "database", "model"]);
    assert_eq!(
        report.phase,
        Phase::Failed(69),
        "what time will not mend is the better answer"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_timeout_rolls_back_on_a_budget_of_its_own() {
    // uber-go/fx#1035: after a start timeout no stop ran at all.
    struct Dropped(Journal);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.write("start dropped");
        }
    }
    let journal = Journal::open();
    let guard = Dropped(journal.clone());
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 5000))
        .hook(
            Hook::new("stuck")
                .after(["a"])
                .start_timeout(ms(100))
                .on_start(|_| async move {
                    let _guard = guard;
                    pending().await
                }),
        )
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(journal.entries(), ["+a", "start dropped", "-a"]);
    assert_eq!(journal.at("start dropped"), 100);
    assert_eq!(journal.at("-a"), 5100);
    assert_eq!(report.phase, Phase::Failed(75));
    assert_eq!(report.hook("stuck").unwrap().start.outcome, TimedOut);
    assert_eq!(
        report.errors[0].to_string(),
        "hook `stuck` did not start within 100ms"
    );
}

#[tokio::test(start_paused = true)]
async fn the_start_deadline_names_who_was_waited_for() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 10, 10))
        .hook(journal.hook("slow", ["a"], 10_000, 10))
        .hook(journal.hook("after", ["slow"], 10, 10))
        .start_deadline(ms(200))
        .settle_timeout(ms(50))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(75));
    assert_eq!(report.errors.len(), 1);
    assert_eq!(
        report.errors[0].to_string(),
        "not started within 200ms, still pending: slow"
    );
    assert_eq!(journal.entries(), ["+a", "-a"]);
    assert_eq!(
        journal.at("-a"),
        260,
        "the deadline, the time to settle, the stop"
    );
    assert_eq!(start_outcomes(&report), [Done, Interrupted, Waiting]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_wherever_it_happens() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 10, 10))
        .hook(
            Hook::new("b")
                .after(["a"])
                .on_stop(|_| async { panic!("stop of {}", "b") }),
        )
        // It panics before there is a future.
        .hook(Hook::new("c").after(["b"]).on_start(|cx| {
            assert_ne!(cx.name(), "c", "no");
            async { Ok(()) }
        }))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(70));
    assert_eq!(journal.entries(), ["+a", "-a"]);
    let details: Vec<String> = report
        .errors
        .iter()
        .map(|error| error.detail().expose().to_owned())
        .collect();
    assert!(
        details[0].starts_with("hook `c` panicked in its start: "),
        "{details:?}"
    );
    assert_eq!(details[1], "hook `b` panicked in its stop: stop of b");
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_every_millisecond_of_the_boot_rolls_back_with_exit_code_0() {
    // wazo-calld#419, caduceus#278, ori-runtime#530: a SIGTERM during boot was lost, or stopped a
    // half-built application.
    for at in 0..=40 {
        let journal = Journal::open();
        let lifecycle = Lifecycle::builder()
            .hook(journal.hook("a", [], 10, 3))
            .hook(journal.hook("b", ["a"], 10, 3))
            .hook(journal.hook("c", ["b"], 10, 3))
            .build()
            .unwrap();
        let handle = lifecycle.shutdown_handle();
        if at == 0 {
            handle.shutdown("before it began");
        }
        let run = tokio::spawn(lifecycle.run());
        sleep(ms(at)).await;
        handle.shutdown("early");
        let report = run.await.unwrap();
        assert_eq!(report.phase, Phase::Stopped(0), "at {at} ms");
        assert!(report.errors.is_empty(), "at {at} ms: {:?}", report.errors);
        let ups = if at == 0 { 0 } else { 1 + at.min(29) / 10 };
        let names: Vec<&str> = ["a", "b", "c"]
            .into_iter()
            .take(ups.try_into().unwrap())
            .collect();
        let starts = names.iter().map(|name| format!("+{name}"));
        let stops = names.iter().rev().map(|name| format!("-{name}"));
        // Whether the next one began in the very millisecond of the request is a matter of luck.
        if at % 10 != 0 || at > 30 || at == 0 {
            assert_eq!(
                journal.entries(),
                starts.chain(stops).collect::<Vec<_>>(),
                "at {at} ms"
            );
        }
        let entries = journal.entries();
        for name in ["a", "b", "c"] {
            let count = |entry: String| entries.iter().filter(|there| **there == entry).count();
            assert_eq!(
                count(format!("+{name}")),
                count(format!("-{name}")),
                "at {at} ms: {entries:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_does_not_listen_is_dropped_after_the_time_to_settle() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 0))
        .hook(Hook::new("deaf").after(["a"]).on_start(|_| pending()))
        .settle_timeout(ms(500))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(10)).await;
    handle.shutdown("early");
    let report = run.await.unwrap();
    assert_eq!(report.phase, Phase::Stopped(0));
    assert_eq!(report.stopped_after, Some(ms(500)));
    assert_eq!(report.hook("deaf").unwrap().start.outcome, Interrupted);
}

#[tokio::test(start_paused = true)]
async fn interrupted_without_an_interruption_is_a_failure() {
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("a").on_start(|_| async { Err(HookError::interrupted()) }))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(70));
    assert_eq!(report.errors.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_during_the_start_of_others_rolls_back() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("fragile").on_start(|cx| async move {
            tokio::spawn(async move {
                sleep(ms(5)).await;
                cx.fail(HookError::new("the connection is lost").with_exit_code(69));
            });
            Ok(())
        }))
        .hook(journal.hook("b", ["fragile"], 100, 0))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(69));
    assert_eq!(
        report.reason,
        Some(ShutdownReason::HookFailed {
            hook: "fragile".into()
        })
    );
    assert_eq!(
        journal.entries(),
        ["+b", "-b"],
        "it settled, so it was stopped"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_start_has_spawned_ends_before_the_rollback() {
    let journal = Journal::open();
    let seen = journal.clone();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 10))
        .hook(Hook::new("half").after(["a"]).on_start(|cx| async move {
            tokio::spawn(async move {
                cx.cancelled().await;
                seen.write("its task ended");
            });
            Err("the second half is missing".into())
        }))
        .build()
        .unwrap();
    lifecycle.run().await;
    assert_eq!(journal.entries(), ["+a", "its task ended", "-a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_ends_well_just_after_it_was_given_up_is_stopped() {
    // Whether it ends before the run goes on without it is a matter of the machine's load.
    for _ in 0..10 {
        let journal: Journal = Journal::open();
        let stops = journal.clone();
        let (tell, begun) = tokio::sync::oneshot::channel();
        let lifecycle = Lifecycle::builder()
            .hook(
                Hook::new("a")
                    .on_start(|cx| async move {
                        tell.send(()).unwrap();
                        // It cannot be dropped while it blocks.
                        while !cx.token().is_cancelled() {
                            thread::yield_now();
                        }
                        thread::sleep(ms(20));
                        Ok(())
                    })
                    .on_stop(|_| async move {
                        stops.write("-a");
                        Ok(())
                    }),
            )
            .settle_timeout(ms(0))
            .build()
            .unwrap();
        let handle = lifecycle.shutdown_handle();
        let run = tokio::spawn(lifecycle.run());
        begun.await.unwrap();
        handle.shutdown("early");
        let report = run.await.unwrap();
        let is_up = report.hook("a").unwrap().start.outcome == Done;
        assert_eq!(journal.entries(), ["-a"][..usize::from(is_up)]);
        if is_up {
            return;
        }
    }
    panic!("it was never stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_blocks_its_thread_holds_up_nobody() {
    let (release, blocked) = mpsc::channel::<()>();
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 0))
        .hook(
            Hook::new("blocks")
                .after(["a"])
                .start_timeout(ms(50))
                .on_start(|_| async move {
                    // Ends when the sender is dropped.
                    let _ = blocked.recv();
                    Ok(())
                }),
        )
        .build()
        .unwrap();
    let begun = Instant::now();
    let report = lifecycle.run().await;
    assert!(begun.elapsed() < ms(5000), "took {:?}", begun.elapsed());
    drop(release);
    assert_eq!(report.phase, Phase::Failed(75));
    assert_eq!(journal.entries(), ["+a", "-a"]);
    assert_eq!(report.hook("blocks").unwrap().start.outcome, TimedOut);
}
