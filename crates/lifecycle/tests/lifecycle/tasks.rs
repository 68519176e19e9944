//! Background tasks under a lifecycle.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tria_check::{Backoff, Heartbeats, Phase};
use tria_lifecycle::{
    Hook, HookError, Lifecycle, OnEnd, RunReport, ShutdownReason, TaskContext, TaskSpec, TaskState,
    Tasks,
};

use crate::journal::{Journal, ms};

/// Runs the tasks under a hook `workers`, after a hook `pool`, and asks for a stop after that
/// time.
async fn run(tasks: Tasks, journal: &Journal, after: Duration) -> RunReport {
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("pool", [], 0, 0))
        .hook(tasks.into_hook().after(["pool"]))
        .build()
        .unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(after).await;
    handle.shutdown("done");
    run.await.unwrap()
}

fn tasks<const N: usize>(heartbeats: &Heartbeats, specs: [TaskSpec; N]) -> Tasks {
    let none = Tasks::new("workers", heartbeats);
    specs.into_iter().fold(none, Tasks::task)
}

fn states(report: &RunReport) -> Vec<(&str, TaskState, u32)> {
    let tasks = report.tasks.iter();
    tasks
        .map(|task| (task.name.as_str(), task.state, task.restarts))
        .collect()
}

/// The last error, with everything that is in it.
fn told(report: &RunReport) -> String {
    let last = report.errors.last().unwrap();
    last.detail().expose().to_owned()
}

/// Does nothing until it is to end.
async fn idle(cx: TaskContext) -> Result<(), HookError> {
    cx.wait_for(pending::<()>()).await
}

#[tokio::test(start_paused = true)]
async fn tasks_end_together_when_they_are_to_and_before_what_they_need() {
    let journal = Journal::open();
    let heartbeats = Heartbeats::default();
    let spec = |name: &'static str, takes_ms: u64| {
        let journal = journal.clone();
        TaskSpec::new(name, move |cx| {
            let journal = journal.clone();
            async move {
                cx.cancelled().await;
                sleep(ms(takes_ms)).await;
                journal.write(cx.name());
                Ok(())
            }
        })
    };
    let specs = [
        spec("slow", 300),
        spec("quick", 100),
        TaskSpec::new("idle", idle),
    ];
    let watching = heartbeats.clone();
    let expected = tokio::spawn(async move {
        sleep(ms(50)).await;
        watching.expected()
    });
    let report = run(tasks(&heartbeats, specs), &journal, ms(1000)).await;
    assert_eq!(expected.await.unwrap(), 3);
    assert_eq!(heartbeats.expected(), 0, "all have retired");
    assert!(report.is_clean(), "{report:?}");
    let order = [
        (0, "+pool"),
        (1100, "quick"),
        (1300, "slow"),
        (1300, "-pool"),
    ];
    assert_eq!(journal.timed(), order.map(|(at, it)| (at, it.to_owned())));
    let ended = ["slow", "quick", "idle"].map(|name| (name, TaskState::Ended, 0));
    assert_eq!(states(&report), ended);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_by_itself_is_started_anew_after_growing_waits() {
    let starts: Journal<u32> = Journal::open();
    let seen = starts.clone();
    let flaky = TaskSpec::new("flaky", move |cx: TaskContext| {
        seen.write(cx.restarts());
        async move {
            match cx.restarts() {
                0 => panic!("planted"),
                1 => Err("refused".into()),
                2 => Ok(()),
                3 => {
                    // That long it was well: what comes then is a new story.
                    sleep(Duration::from_secs(60)).await;
                    Err("refused".into())
                }
                _ => idle(cx).await,
            }
        }
    });
    let backoff = Backoff::new(ms(100), ms(10_000));
    let flaky = flaky.on_end(OnEnd::Restart(backoff));
    let heartbeats = Heartbeats::default();
    let minutes = Duration::from_secs(120);
    let report = run(tasks(&heartbeats, [flaky]), &Journal::open(), minutes).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(states(&report), [("flaky", TaskState::Ended, 4)]);

    let at: Vec<u128> = starts.timed().iter().map(|(at, _)| *at).collect();
    let waits: Vec<u128> = at.windows(2).map(|two| two[1] - two[0]).collect();
    // Each wait lies between half of it and all of it.
    for (wait, ceiling) in waits.iter().zip([100, 200, 400]) {
        assert!((ceiling / 2..=ceiling + 1).contains(wait), "{waits:?}");
    }
    assert!((60_050..=60_101).contains(&waits[3]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_restart_ends_with_the_process() {
    let broken = TaskSpec::new("broken", async |_| Err("refused".into()));
    let hour = Backoff::new(ms(3_600_000), ms(3_600_000));
    let heartbeats = Heartbeats::default();
    let specs = [broken.on_end(OnEnd::Restart(hour))];
    let begun = Instant::now();
    let report = run(tasks(&heartbeats, specs), &Journal::open(), ms(100)).await;
    assert_eq!(begun.elapsed(), ms(100));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(heartbeats.expected(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_without_which_the_process_is_nothing_shuts_it_down() {
    type End = fn() -> Result<(), HookError>;
    let ends: [(End, u8, &str); 4] = [
        (|| panic!("planted"), 70, "task `queue` panicked: planted"),
        (|| Err("refused".into()), 70, "task `queue` failed: refused"),
        (
            || Err(HookError::new("refused").with_exit_code(69)),
            69,
            "task `queue` failed: refused",
        ),
        (|| Ok(()), 70, "task `queue` ended by itself"),
    ];
    for (end, code, error) in ends {
        let queue = TaskSpec::new("queue", move |_| async move {
            sleep(ms(10)).await;
            end()
        });
        let heartbeats = Heartbeats::default();
        let specs = [queue, TaskSpec::new("idle", idle)];
        let journal = Journal::open();
        let report = run(tasks(&heartbeats, specs), &journal, ms(100)).await;
        assert_eq!(
            (report.phase, report.exit_code),
            (Phase::Stopped(code), code)
        );
        assert_eq!(
            told(&report),
            format!("hook `workers` failed to run: {error}")
        );
        assert_eq!(report.errors.len(), 1, "it is told once: {report:?}");
        let hook = "workers".into();
        assert_eq!(report.reason, Some(ShutdownReason::HookFailed { hook }));
        assert_eq!(journal.at("-pool"), 10);
        let expected = [
            ("queue", TaskState::Failed, 0),
            ("idle", TaskState::Ended, 0),
        ];
        assert_eq!(states(&report), expected);
        assert_eq!(heartbeats.expected(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_may_end_ends_well() {
    let once = TaskSpec::new("once", async |_| Ok(())).may_end();
    let heartbeats = Heartbeats::default();
    let report = run(tasks(&heartbeats, [once]), &Journal::open(), ms(100)).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.stopped_after, Some(ms(0)));
    assert_eq!(heartbeats.expected(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stop_in_its_time_is_aborted_and_named() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Arc::clone(&dropped);
    let deaf = TaskSpec::new("deaf", move |_| {
        let guard = Dropped(Arc::clone(&guard));
        async move {
            pending::<()>().await;
            drop(guard);
            Ok(())
        }
    });
    let heartbeats = Heartbeats::default();
    let specs = [
        deaf.stop_timeout(ms(400)),
        TaskSpec::new("idle", idle),
        TaskSpec::new("patient", async |cx: TaskContext| {
            cx.cancelled().await;
            sleep(ms(700)).await;
            Ok(())
        }),
    ];
    let journal = Journal::open();
    let report = run(tasks(&heartbeats, specs), &journal, ms(100)).await;
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(journal.at("-pool"), 800, "it waits for the others");
    assert_eq!((report.phase, report.exit_code), (Phase::Stopped(1), 1));
    assert_eq!(
        told(&report),
        "hook `workers` failed to stop: task `deaf` did not stop in time and was aborted"
    );
    let expected = [
        ("deaf", TaskState::Aborted, 0),
        ("idle", TaskState::Ended, 0),
        ("patient", TaskState::Ended, 0),
    ];
    assert_eq!(states(&report), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_blocks_its_thread_holds_up_nobody() {
    let (free, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    let stubborn = TaskSpec::new("stubborn", move |cx| {
        let blocked = Arc::clone(&blocked);
        async move {
            cx.cancelled().await;
            let _ = blocked.lock().unwrap().recv();
            Ok(())
        }
    });
    let heartbeats = Heartbeats::default();
    let specs = [stubborn.stop_timeout(ms(50)), TaskSpec::new("idle", idle)];
    let journal = Journal::open();
    let report = run(tasks(&heartbeats, specs), &journal, ms(100)).await;
    drop(free);
    assert_eq!(report.exit_code, 1);
    assert!(told(&report).contains("task `stubborn` did not stop in time"));
    assert_eq!(journal.entries(), ["+pool", "-pool"]);
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_while_stopping_is_told_of_all() {
    let ends = |name: &'static str, end: fn() -> Result<(), HookError>| {
        TaskSpec::new(name, move |cx| async move {
            cx.cancelled().await;
            end()
        })
    };
    let heartbeats = Heartbeats::default();
    let specs = [
        ends("lost", || Err("lost a mail".into())),
        ends("buggy", || panic!("planted")),
    ];
    let report = run(tasks(&heartbeats, specs), &Journal::open(), ms(100)).await;
    assert_eq!(report.exit_code, 70, "a panic is a bug");
    assert_eq!(
        told(&report),
        "hook `workers` failed to stop: task `lost` failed: lost a mail; \
         task `buggy` panicked: planted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_later_stops_the_tasks() {
    let heartbeats = Heartbeats::default();
    let specs = [TaskSpec::new("idle", idle)];
    let broken = async |_| Err(HookError::new("no").with_exit_code(69));
    let report = Lifecycle::builder()
        .hook(tasks(&heartbeats, specs).into_hook())
        .hook(Hook::new("broken").after(["workers"]).on_start(broken))
        .build()
        .unwrap()
        .run()
        .await;
    assert_eq!(report.phase, Phase::Failed(69));
    assert_eq!(states(&report), [("idle", TaskState::Ended, 0)]);
    assert_eq!(heartbeats.expected(), 0);
}

#[tokio::test(start_paused = true)]
async fn two_tasks_of_one_name_are_a_bug_that_is_told() {
    let heartbeats = Heartbeats::default();
    let specs = [TaskSpec::new("twin", idle), TaskSpec::new("twin", idle)];
    let report = run(tasks(&heartbeats, specs), &Journal::open(), ms(100)).await;
    assert_eq!(report.phase, Phase::Failed(70));
    assert!(told(&report).ends_with("two tasks are called `twin`"));
    assert_eq!(heartbeats.expected(), 0);
}

/// Heartbeats go by the system's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_work_is_heard_of_and_who_hangs_is_missed() {
    let heartbeats = Heartbeats::default();
    let stuck = TaskSpec::new("stuck", async |cx: TaskContext| {
        cx.interruptible(pending::<()>()).await
    });
    let restarting = TaskSpec::new("restarting", async |_| Err("refused".into()));
    let hour = Backoff::new(ms(3_600_000), ms(3_600_000));
    let specs = [
        TaskSpec::new("waiting", idle).heartbeat(ms(300)),
        stuck.heartbeat(ms(900)),
        restarting.on_end(OnEnd::Restart(hour)).heartbeat(ms(300)),
    ];
    let watching = heartbeats.clone();
    let missed = thread::spawn(move || {
        loop {
            let overdue = watching.overdue();
            if overdue.iter().any(|overdue| &*overdue.task == "stuck") {
                return overdue.into_iter().map(|it| it.task).collect::<Vec<_>>();
            }
            thread::sleep(ms(5));
        }
    });
    let report = run(tasks(&heartbeats, specs), &Journal::open(), ms(1500)).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(missed.join().unwrap(), ["stuck".into()]);
}
