//! A good run: who starts and stops when, and what the watchers see.

use std::sync::Arc;

use tokio::{sync::Notify, time::sleep};
use tria_check::Phase;
use tria_lifecycle::{Hook, Lifecycle, ShutdownReason, StepOutcome};

use crate::journal::{Journal, ms};

#[tokio::test(start_paused = true)]
async fn each_hook_starts_and_stops_as_soon_as_it_can() {
    let journal = Journal::open();
    // `b` need not wait for `slow`, which stands on the same level as `a`.
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("last", ["b", "slow"], 1, 7))
        .hook(journal.hook("b", ["a"], 10, 10))
        .hook(journal.hook("slow", [], 100, 100))
        .hook(journal.hook("a", [], 10, 10))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(1000)).await;
    handle.shutdown("done");
    let report = run.await.unwrap();

    let expected = [
        (10, "+a"),
        (20, "+b"),
        (100, "+slow"),
        (101, "+last"),
        (1007, "-last"),
        (1017, "-b"),
        (1027, "-a"),
        (1107, "-slow"),
    ];
    assert_eq!(
        journal.timed(),
        expected.map(|(at, entry)| (at, entry.to_owned()))
    );
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.ready_after, Some(ms(101)));
    assert_eq!(report.stopped_after, Some(ms(107)));
    let slow = report.hook("slow").unwrap();
    assert_eq!(
        (slow.start.outcome, slow.start.elapsed),
        (StepOutcome::Done, Some(ms(100)))
    );
    assert_eq!(
        (slow.stop.outcome, slow.stop.elapsed),
        (StepOutcome::Done, Some(ms(100)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_have_only_a_start_only_a_stop_or_neither() {
    let journal = Journal::open();
    let (up, down) = (journal.clone(), journal.clone());
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("base", [], 1, 1))
        .hook(Hook::new("start").after(["base"]).on_start(|_| async move {
            up.write("+start");
            Ok(())
        }))
        .hook(Hook::new("point").after(["start"]))
        .hook(Hook::new("stop").after(["point"]).on_stop(|_| async move {
            down.write("-stop");
            Ok(())
        }))
        .hook(journal.hook("top", ["stop"], 1, 1))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(10)).await;
    handle.shutdown("done");
    assert!(run.await.unwrap().is_clean());
    assert_eq!(
        journal.entries(),
        ["+base", "+start", "+top", "-top", "-stop", "-base"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_phases_come_in_order_and_nothing_stops_before_the_drain_is_over() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 10, 10))
        .pre_drain(ms(3000))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let mut phase = lifecycle.phase();
    assert_eq!(*phase.borrow(), Phase::Starting);
    let seen = journal.clone();
    let watched = tokio::spawn(async move {
        while phase.changed().await.is_ok() {
            let now = *phase.borrow_and_update();
            seen.write(format!("{now:?}"));
        }
    });
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(100)).await;
    handle.shutdown("done");
    let report = run.await.unwrap();
    drop(handle);
    watched.await.unwrap();
    let expected = [
        (10, "+a"),
        (10, "Ready"),
        (100, "Draining"),
        (3100, "Stopping"),
        (3110, "-a"),
        (3110, "Stopped(0)"),
    ];
    assert_eq!(
        journal.timed(),
        expected.map(|(at, entry)| (at, entry.to_owned()))
    );
    assert_eq!(
        report.reason,
        Some(ShutdownReason::Requested("done".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_s_token_lives_until_those_after_it_are_down_and_ends_before_its_own_stop() {
    // kubernetes/kubernetes#140241: the stop waited for an endless retry of the start.
    let journal = Journal::open();
    let retries = Arc::new(Notify::new());
    let (ended, stopped) = (journal.clone(), journal.clone());
    let (from_task, to_stop) = (Arc::clone(&retries), retries);
    let lifecycle = Lifecycle::builder()
        .hook(
            Hook::new("informer")
                .on_start(|cx| async move {
                    tokio::spawn(async move {
                        cx.cancelled().await;
                        ended.write("retry ended");
                        from_task.notify_one();
                    });
                    Ok(())
                })
                .on_stop(|_| async move {
                    to_stop.notified().await;
                    stopped.write("-informer");
                    Ok(())
                }),
        )
        .hook(journal.hook("user", ["informer"], 1, 50))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(ms(10)).await;
    handle.shutdown("done");
    assert!(run.await.unwrap().is_clean());
    assert_eq!(
        journal.entries(),
        ["+user", "-user", "retry ended", "-informer"]
    );
    assert_eq!(journal.at("retry ended"), 60);
}

#[tokio::test(start_paused = true)]
async fn the_report_can_be_watched_while_it_grows() {
    let journal = Journal::open();
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("a", [], 10, 0))
        .hook(journal.hook("b", ["a"], 10, 0))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let report = lifecycle.report();
    let run = tokio::spawn(lifecycle.run());
    let starts = || {
        let report = report.borrow();
        [report.hooks[0].start.outcome, report.hooks[1].start.outcome]
    };
    sleep(ms(5)).await;
    assert_eq!(starts(), [StepOutcome::Running, StepOutcome::Waiting]);
    sleep(ms(10)).await;
    assert_eq!(starts(), [StepOutcome::Done, StepOutcome::Running]);
    sleep(ms(10)).await;
    assert_eq!(starts(), [StepOutcome::Done, StepOutcome::Done]);
    assert_eq!(report.borrow().phase, Phase::Ready);
    handle.shutdown("done");
    run.await.unwrap();
    assert_eq!(report.borrow().phase, Phase::Stopped(0));
}

#[tokio::test(start_paused = true)]
async fn the_report_is_json_for_diagnostics() {
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("a").on_start(|_| async {
            sleep(ms(12)).await;
            Ok(())
        }))
        .hook(
            Hook::new("b")
                .after(["a"])
                .on_start(|_| async { Err("host 10.0.0.7".into()) }),
        )
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    let step =
        |outcome: &str, elapsed| serde_json::json!({"outcome": outcome, "elapsed_ms": elapsed});
    let none = serde_json::Value::Null;
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "phase": {"failed": 70},
            "exit_code": 70,
            "reason": {"start_failed": {"hook": "b"}},
            "ready_after_ms": null,
            "stopped_after_ms": 0.0,
            "hooks": [
                {"name": "a", "after": [], "start": step("done", 12.0.into()), "stop": step("done", 0.0.into())},
                {"name": "b", "after": ["a"], "start": step("failed", 0.0.into()), "stop": step("waiting", none)},
            ],
            "errors": [{
                "code": "failed", "step": "start", "hook": "b", "exit_code": 70,
                "message": "hook `b` failed to start",
            }],
            "pending": [], "tasks": [],
        })
    );
}
