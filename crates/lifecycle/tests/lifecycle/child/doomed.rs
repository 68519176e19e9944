//! Children whose end hangs, in one way or another.

use std::{sync::atomic::Ordering, thread};

use tokio::runtime::{Handle, Runtime};
use tria_check::Heartbeats;
use tria_lifecycle::{
    Finale, HardStop, Hook, HookError, Lifecycle, LifecycleBuilder, RunReport, Signals,
    TaskContext, TaskSpec, Tasks,
};

use super::{STUCK, WORKERS, block, database, runtime, say, wedge};
use crate::{hard_stop::GRACE, journal::ms, process::PATIENCE};

pub(super) fn run(scenario: &str, signals: &Signals) -> RunReport {
    let (early, grace) = match scenario {
        // No lifecycle tells a better one.
        "doomed-early" => (GRACE, GRACE),
        // They end by themselves.
        "doomed-job" | "doomed-finale" => (PATIENCE, PATIENCE),
        _ => (PATIENCE, GRACE),
    };
    let hard_stop = HardStop::start(signals, early).unwrap();
    let builder = builder(signals).grace(grace).hard_stop(&hard_stop);
    match scenario {
        "doomed-early" => {
            say("waiting");
            block()
        }
        "doomed-wedged" => wedge(builder.hook(idle())),
        "doomed-log" => {
            let ready = Hook::new("ready").after(["worker"]).on_start(async |_| {
                say("stuck");
                STUCK.store(true, Ordering::SeqCst);
                Ok(())
            });
            let builder = builder.hook(ready);
            runtime().block_on(async { builder.build().unwrap().run().await })
        }
        "doomed-start" => rollback(&hard_stop),
        "doomed-late" => {
            let (report, _runtime) = to_its_end(builder, signals);
            say(&format!("ended {}", report.exit_code));
            block()
        }
        "doomed-job" => {
            let job = Hook::new("job").on_start(async |_| {
                tokio::task::spawn_blocking(|| block());
                Ok(())
            });
            let (report, runtime) = to_its_end(builder.hook(job), signals);
            runtime.shutdown_timeout(ms(200));
            report
        }
        "doomed-pardoned" => {
            let lifecycle = builder.build().unwrap();
            lifecycle.shutdown_handle().shutdown("done");
            let report = runtime().block_on(lifecycle.run());
            drop(hard_stop);
            thread::sleep(GRACE * 2);
            report
        }
        "doomed-finale" => {
            let (report, runtime) = to_its_end(builder, signals);
            runtime.shutdown_timeout(ms(200));
            for problem in finale().run() {
                say(&problem.to_string());
            }
            report
        }
        _ => unreachable!("there is no scenario {scenario}"),
    }
}

/// Two hooks that end at once, if they are let.
fn builder(signals: &Signals) -> LifecycleBuilder {
    let worker = Hook::new("worker")
        .after(["database"])
        .stop_timeout(ms(100));
    Lifecycle::builder()
        .hook(database().stop_timeout(ms(100)))
        .hook(worker.on_stop(async |_| Ok(())))
        .signals(signals)
}

fn idle() -> Hook {
    let idle = async |cx: TaskContext| cx.wait_for(std::future::pending()).await;
    let tasks = Tasks::new("tasks", &Heartbeats::default());
    tasks
        .task(TaskSpec::new("idle", idle).stop_timeout(ms(1)))
        .into_hook()
}

fn to_its_end(builder: LifecycleBuilder, signals: &Signals) -> (RunReport, Runtime) {
    let runtime = runtime();
    let report = runtime.block_on(super::run(builder, signals));
    (report, runtime)
}

/// A start that fails, and then a stop that blocks every thread of the runtime.
fn rollback(hard_stop: &HardStop) -> RunReport {
    let stop = async |_| {
        // From elsewhere: what this thread spawns last only this thread would run.
        let runtime = Handle::current();
        thread::spawn(move || {
            for _ in 1..WORKERS {
                runtime.spawn(async { block() });
            }
        });
        say("blocking");
        block()
    };
    let refused = async |_| Err(HookError::new("refused").with_exit_code(69));
    let lifecycle = Lifecycle::builder()
        .hook(Hook::new("database").stop_timeout(ms(100)).on_stop(stop))
        .hook(Hook::new("broken").after(["database"]).on_start(refused))
        .grace(GRACE)
        .hard_stop(hard_stop)
        .build()
        .unwrap();
    runtime().block_on(async {
        tokio::spawn(lifecycle.run());
        block()
    })
}

/// What is flushed waits for a runtime of its own, which is alive; that of the process is not.
fn finale() -> Finale {
    let flush = || {
        let own = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        own.unwrap()
            .block_on(async { tokio::time::sleep(ms(10)).await });
        say("flushed");
    };
    Finale::new()
        .step("traces", PATIENCE, flush)
        .step("metrics", ms(100), || block())
        .step("log", PATIENCE, || say("log ended"))
}
