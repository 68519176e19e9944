//! What the child does, by the scenario that its test names.

mod doomed;

use std::{
    env,
    future::pending,
    io::Write,
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tokio::{runtime::Runtime, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tria_lifecycle::{
    Hook, HookContext, HookError, Lifecycle, LifecycleBuilder, RunReport, Signals,
};

use crate::process::PATIENCE;

/// A log that takes no line any more, of nobody or only of the signal threads.
struct Log {
    mute: bool,
}

/// Whether it takes no line of anybody.
static STUCK: AtomicBool = AtomicBool::new(false);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let is_signals = matches!(thread::current().name(), Some("signals" | "signal-log"));
        while STUCK.load(Ordering::SeqCst) || (self.mute && is_signals) {
            thread::park();
        }
        std::io::stdout().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}

fn say(event: &str) {
    // On a line of its own also where the test harness has begun one.
    println!("\nevent {event}");
}

#[test]
#[ignore = "the child of other tests"]
fn child() {
    let scenario = env::args().find_map(|arg| arg.strip_prefix("scenario=").map(str::to_owned));
    let Some(scenario) = scenario else { return };
    let mute = scenario == "mute";
    tracing_subscriber::fmt()
        .json()
        .with_writer(move || Log { mute })
        .init();

    let signals = Signals::install().unwrap();
    say("installed");
    if matches!(&*scenario, "early" | "asked") {
        wait_for_go();
    }
    let report = match &*scenario {
        "boot" => runtime().block_on(boot(&signals)),
        "held" | "mute" => runtime().block_on(held(&signals)),
        "wedged" => wedged(&signals),
        "asked" => asked(&signals),
        doomed if doomed.starts_with("doomed") => doomed::run(doomed, &signals),
        _ => runtime().block_on(run(plain(), &signals)),
    };
    say(&serde_json::to_string(&report).unwrap());
    end(report.exit_code);
}

/// Ends the process; the harness would turn the code into its own.
#[expect(
    clippy::disallowed_methods,
    reason = "it is what a child of a test ends with"
)]
fn end(code: u8) -> ! {
    process::exit(code.into());
}

fn wait_for_go() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

const WORKERS: usize = 2;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .unwrap()
}

/// Two hooks that say what they do.
fn plain() -> LifecycleBuilder {
    Lifecycle::builder()
        .hook(database())
        .hook(worker().on_stop(async |_| {
            say("stopped worker");
            Ok(())
        }))
        .stop_deadline(PATIENCE)
}

fn database() -> Hook {
    Hook::new("database")
        .on_start(async |_| {
            say("started database");
            Ok(())
        })
        .on_stop(async |_| {
            say("stopped database");
            Ok(())
        })
}

fn worker() -> Hook {
    Hook::new("worker")
        .after(["database"])
        .stop_timeout(PATIENCE)
}

/// Runs it, and says when it is ready and when it is asked to stop.
async fn run(builder: LifecycleBuilder, signals: &Signals) -> RunReport {
    let lifecycle = builder.signals(signals).build().unwrap();
    let mut phase = lifecycle.phase();
    tokio::spawn(async move {
        if phase.wait_for(|phase| phase.is_ready()).await.is_ok() {
            say("ready");
        }
    });
    let requested = signals.shutdown_requested();
    tokio::spawn(async move {
        requested.cancelled().await;
        say("requested");
    });
    lifecycle.run().await
}

/// The second hook starts for ever.
async fn boot(signals: &Signals) -> RunReport {
    let start = async |cx: HookContext| -> Result<(), HookError> {
        say("starting worker");
        let waited = cx.interruptible(pending::<()>()).await;
        say("interrupted worker");
        waited
    };
    let builder = Lifecycle::builder().hook(database());
    run(builder.hook(worker().on_start(start)), signals).await
}

/// The second hook stops when it is told to go.
async fn held(signals: &Signals) -> RunReport {
    let go = CancellationToken::new();
    let held = go.clone();
    thread::spawn(move || {
        wait_for_go();
        go.cancel();
    });
    let stop = async move |_| {
        held.cancelled().await;
        say("stopped worker");
        Ok(())
    };
    let builder = Lifecycle::builder()
        .hook(database())
        .stop_deadline(PATIENCE);
    run(builder.hook(worker().on_stop(stop)), signals).await
}

/// Blocks its thread for ever.
fn block() -> ! {
    loop {
        thread::park();
    }
}

/// Every thread of the runtime is blocked, that of `main` too.
fn wedged(signals: &Signals) -> ! {
    count_dumps(signals);
    wedge(plain().signals(signals))
}

/// Runs it until it is ready, and then blocks every thread of the runtime.
fn wedge(builder: LifecycleBuilder) -> ! {
    let lifecycle = builder.build().unwrap();
    let mut phase = lifecycle.phase();
    runtime().block_on(async {
        tokio::spawn(lifecycle.run());
        phase.wait_for(|phase| phase.is_ready()).await.unwrap();
        for _ in 0..WORKERS {
            tokio::spawn(async { block() });
        }
        say("wedged");
        block()
    })
}

/// Answers requests, each on a thread of its own, and in the runtime.
fn asked(signals: &Signals) -> RunReport {
    count_dumps(signals);
    let mut reloads = 0;
    let reload = move || {
        reloads += 1;
        say(&format!("reload {reloads} begun"));
        wait_for_go();
        say(&format!("reload {reloads} done"));
    };
    signals.on_reload(reload).unwrap();
    let mut streamed = signals.reloads();
    runtime().block_on(async {
        let (seen, mut see) = mpsc::channel(1);
        tokio::spawn(async move {
            streamed.next().await;
            say("streamed reload");
            seen.send(()).await.unwrap();
        });
        see.recv().await.unwrap();
        run(plain(), signals).await
    })
}

fn count_dumps(signals: &Signals) {
    let mut dumps = 0;
    let dump = move || {
        dumps += 1;
        assert_ne!(dumps, 2, "planted: the second answer panics");
        say(&format!("dump {dumps}"));
    };
    signals.on_dump(dump).unwrap();
}
