//! A stop that does not go well.

use std::future::pending;

use tokio::time::sleep;
use tria_check::Phase;
use tria_lifecycle::{
    Hook, HookError, Lifecycle, LifecycleBuilder, LifecycleError, RunReport, ShutdownReason,
    StepOutcome,
};

use crate::journal::{Journal, ms};

/// Runs it, and asks for a stop after 100 ms.
async fn run(builder: LifecycleBuilder) -> RunReport {
    let lifecycle = builder.build().unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(100)).await;
    handle.shutdown("done");
    run.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn stop_errors_add_up_and_keep_nobody_from_stopping() {
    let journal = Journal::open();
    let report = run(Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 10))
        .hook(
            Hook::new("error")
                .after(["a"])
                .on_stop(|_| async { Err("lost a row".into()) }),
        )
        .hook(
            Hook::new("panic")
                .after(["a"])
                .on_stop(|_| async { panic!("bug") }),
        )
        .hook(
            // oklog/run#22, linkerd/linkerd2#8033: one stuck hook held everything.
            Hook::new("stuck")
                .after(["a"])
                .stop_timeout(ms(300))
                .on_stop(|_| pending()),
        )
        .hook(journal.hook("b", [], 0, 10)))
    .await;
    assert_eq!(journal.at("-b"), 110, "it does not wait for the stuck one");
    assert_eq!(
        journal.at("-a"),
        410,
        "it waits for the stuck one's timeout, no longer"
    );
    let errors: Vec<(&str, Option<&str>)> = report
        .errors
        .iter()
        .map(|error| (error.code(), error.hook()))
        .collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    for expected in [
        ("failed", Some("error")),
        ("panic", Some("panic")),
        ("timeout", Some("stuck")),
    ] {
        assert!(errors.contains(&expected), "{errors:?}");
    }
    assert_eq!((report.phase, report.exit_code), (Phase::Stopped(70), 70));
    assert!(report.pending.is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_the_stop_deadline_those_left_are_named() {
    let journal = Journal::open();
    let report = run(Lifecycle::builder()
        .hook(journal.hook("pool", [], 0, 0))
        .hook(Hook::new("queue").after(["pool"]).on_stop(|_| pending()))
        .hook(journal.hook("http", ["queue"], 0, 10))
        .stop_deadline(ms(500)))
    .await;
    assert_eq!(report.pending, ["pool", "queue"]);
    assert_eq!((report.phase, report.exit_code), (Phase::Stopped(1), 1));
    assert_eq!(report.stopped_after, Some(ms(500)));
    assert_eq!(
        report
            .errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["not stopped within 500ms, still pending: pool, queue"]
    );
    for name in ["pool", "queue"] {
        assert_eq!(
            report.hook(name).unwrap().stop.outcome,
            StepOutcome::Pending
        );
    }
    assert_eq!(journal.entries().last().unwrap(), "-http");
}

#[tokio::test(start_paused = true)]
async fn after_the_stop_deadline_no_more_stops_are_called() {
    /// Ends the stop in a way of its own when it is dropped.
    struct Trap;
    impl Drop for Trap {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let journal = Journal::open();
    let report = run(Lifecycle::builder()
        .hook(journal.hook("pool", [], 0, 0))
        .hook(Hook::new("queue").after(["pool"]).on_stop(|_| async {
            let _trap = Trap;
            pending().await
        }))
        .stop_deadline(ms(500)))
    .await;
    assert_eq!(journal.entries(), ["+pool"]);
    assert_eq!(report.pending, ["pool"]);
    let codes: Vec<&str> = report.errors.iter().map(LifecycleError::code).collect();
    assert_eq!(codes, ["panic", "stop_deadline"]);
    assert_eq!(report.phase, Phase::Stopped(1));
}

#[tokio::test(start_paused = true)]
async fn the_rollback_deadline_leaves_the_cause_as_exit_code() {
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("stuck").on_stop(|_| pending()))
        .hook(
            Hook::new("broken")
                .after(["stuck"])
                .on_start(|_| async { Err(HookError::new("no").with_exit_code(78)) }),
        )
        .rollback_deadline(ms(200))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(78));
    assert_eq!(report.pending, ["stuck"]);
    assert_eq!(report.stopped_after, Some(ms(200)));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_while_it_runs_shuts_down_with_70() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 0, 0))
        .hook(Hook::new("worker").after(["a"]).on_start(|cx| async move {
            tokio::spawn(async move {
                sleep(ms(50)).await;
                cx.fail("the worker died");
                cx.shutdown_handle().shutdown("too late to be the reason");
            });
            Ok(())
        }))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Stopped(70));
    assert_eq!(
        report.reason,
        Some(ShutdownReason::HookFailed {
            hook: "worker".into()
        })
    );
    assert_eq!(journal.entries(), ["+a", "-a"]);
    assert!(
        matches!(&report.errors[..], [LifecycleError::Failed { .. }]),
        "{:?}",
        report.errors
    );
    assert_eq!(
        report.errors[0].detail().expose(),
        "hook `worker` failed to run: the worker died"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_knows_how_long_it_has_and_why() {
    let journal: Journal = Journal::open();
    let (short, long) = (journal.clone(), journal.clone());
    let report = run(Lifecycle::builder()
        .hook(
            Hook::new("short")
                .stop_timeout(ms(40))
                .on_stop(|cx| async move {
                    short.write(format!(
                        "{} {:?} {}",
                        cx.name(),
                        cx.time_left(),
                        cx.reason()
                    ));
                    Ok(())
                }),
        )
        .hook(
            Hook::new("long")
                .stop_timeout(ms(4000))
                .on_stop(|cx| async move {
                    sleep(ms(1)).await;
                    long.write(format!(
                        "{} {:?} {}",
                        cx.name(),
                        cx.time_left(),
                        cx.reason()
                    ));
                    Ok(())
                }),
        )
        .stop_deadline(ms(1000)))
    .await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(journal.entries(), ["short 40ms done", "long 999ms done"]);
}

#[tokio::test(start_paused = true)]
async fn limits_beyond_the_clock_are_no_limits() {
    let journal = Journal::open();
    let forever = std::time::Duration::MAX;
    let report = run(Lifecycle::builder()
        .hook(
            journal
                .hook("a", [], 10, 10)
                .start_timeout(forever)
                .stop_timeout(forever),
        )
        .start_deadline(forever)
        .settle_timeout(forever)
        .rollback_deadline(forever)
        .stop_deadline(forever))
    .await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_cancels_every_token() {
    let journal: Journal = Journal::open();
    let seen = journal.clone();
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("a").on_start(|cx| async move {
            tokio::spawn(async move {
                cx.cancelled().await;
                seen.write("cancelled");
            });
            Ok(())
        }))
        .build()
        .unwrap();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(10)).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    sleep(ms(1)).await;
    assert_eq!(journal.entries(), ["cancelled"]);
}
