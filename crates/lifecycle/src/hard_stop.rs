//! The end of a process that does not end by itself.

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime,
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    LifecycleError, Signal, Signals, StepOutcome, TaskState, board::Board, bounded::bounded,
    exit_code,
};

/// Ends the process when its stop takes longer than the grace, whatever hangs: also while every
/// thread of the runtime is blocked, and while the log is stuck.
///
/// It is a thread of its own. From when a stop is asked for, or a start fails, it waits for the
/// grace; then it names the hooks and tasks that are still there, on standard error and in the
/// log, and the process exits with the code of the run, which is
/// [1](crate::exit_code::UNCLEAN_STOP) where the stop is all that went wrong. No destructor runs.
///
/// Dropping it calls it off. Keep it until the end of `main`: what comes after a run may hang too.
///
/// ```no_run
/// use std::time::Duration;
/// use tria_lifecycle::{HardStop, Lifecycle, Signals};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signals = Signals::install()?;
/// let hard_stop = HardStop::start(&signals, Duration::from_secs(30))?;
/// let runtime = tokio::runtime::Runtime::new()?;
/// let report = runtime.block_on(async {
///     let builder = Lifecycle::builder().signals(&signals).hard_stop(&hard_stop);
///     Ok::<_, Box<dyn std::error::Error>>(builder.grace(Duration::from_secs(25)).build()?.run().await)
/// })?;
/// runtime.shutdown_timeout(Duration::from_millis(200));
/// drop(hard_stop);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it calls it off"]
pub struct HardStop {
    orders: watch::Sender<Orders>,
    _called_off: DropGuard,
}

/// What it goes by.
#[derive(Clone)]
pub(crate) struct Orders {
    grace: Duration,
    board: Option<Arc<Board>>,
}

/// How long after the grace it acts: whatever ended just in time has ended.
const MARGIN: Duration = Duration::from_millis(10);

/// How long it waits for its words on standard error: that may be stuck as well. Where it is not,
/// they are there at once.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long it waits for its words in the log, which is more often stuck.
const LAST_EVENT: Duration = Duration::from_millis(25);

// === impl HardStop ===

impl HardStop {
    /// Starts to watch. The first of `signals` counts from now on, also where no lifecycle runs
    /// yet; `grace` holds until a lifecycle with a grace of its own runs.
    ///
    /// # Errors
    /// If its thread cannot be started.
    pub fn start(signals: &Signals, grace: Duration) -> io::Result<Self> {
        let (orders, watched) = watch::channel(Orders { grace, board: None });
        let called_off = CancellationToken::new();
        let (first, off) = (signals.first(), called_off.clone());
        // A clock of its own: that of the process's runtime may stand still.
        let clock = runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let watch = move || {
            let due = clock.block_on(off.run_until_cancelled(due(first, watched)));
            if let Some(orders) = due {
                let code = last_words(orders);
                signal_hook::low_level::exit(code.into());
            }
        };
        thread::Builder::new()
            .name("hard-stop".into())
            .spawn(watch)?;
        Ok(Self {
            orders,
            _called_off: called_off.drop_guard(),
        })
    }

    pub(crate) fn orders(&self) -> watch::Sender<Orders> {
        self.orders.clone()
    }
}

impl Orders {
    /// Goes by the run of that board from now on.
    pub(crate) fn follow(&mut self, board: &Arc<Board>, grace: Option<Duration>) {
        self.grace = grace.unwrap_or(self.grace);
        self.board = Some(Arc::clone(board));
    }
}

/// Waits until a stop has begun and its time is over.
async fn due(
    first: watch::Receiver<Option<Signal>>,
    mut orders: watch::Receiver<Orders>,
) -> Orders {
    tokio::select! {
        () = signalled(first) => {}
        () = asked_for(orders.clone()) => {}
    }
    let begun = Instant::now();
    loop {
        let now = orders.borrow_and_update().clone();
        // One that lies beyond what the clock can say never comes.
        let end = begun.checked_add(now.grace.saturating_add(MARGIN));
        tokio::select! {
            () = async { match end {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            } } => return now,
            Ok(()) = orders.changed() => {}
        }
    }
}

async fn signalled(mut first: watch::Receiver<Option<Signal>>) {
    if first.wait_for(Option::is_some).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a run, and until it is asked to stop or fails to start.
async fn asked_for(mut orders: watch::Receiver<Orders>) {
    let run = orders.wait_for(|orders| orders.board.is_some()).await;
    let board = run.ok().and_then(|orders| orders.board.clone());
    match board {
        Some(board) => drop(board.requested().await),
        None => std::future::pending().await,
    }
}

/// Says what is still there, if that is possible at once; gives the exit code.
fn last_words(orders: Orders) -> u8 {
    let grace = orders.grace;
    // Even reading the report may hang, where somebody holds it.
    let known = bounded("last-words", LAST_WORDS, move || words(&orders));
    let (code, pending) = known.unwrap_or_else(|_| (exit_code::UNCLEAN_STOP, "unknown".into()));

    let line = format!("not stopped within {grace:?}, exiting at once; still pending: {pending}\n");
    let write = thread::Builder::new().name("last-words".into());
    let writing = write.spawn(move || io::stderr().write_all(line.as_bytes()));
    let _ = bounded("last-event", LAST_EVENT, move || {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        tracing::error!(
            grace_ms,
            pending,
            exit_code = code,
            "stop deadline exceeded, exiting at once"
        );
    });
    let _ = bounded("last-words", LAST_WORDS, move || {
        writing.map(thread::JoinHandle::join)
    });
    code
}

/// The exit code of a run that hangs, and what hangs.
fn words(orders: &Orders) -> (u8, String) {
    let Some(board) = &orders.board else {
        return (
            exit_code::UNCLEAN_STOP,
            "what comes before the hooks".into(),
        );
    };
    let report = board.latest();
    if report.phase.is_final() {
        let code = match report.exit_code {
            exit_code::CLEAN => exit_code::UNCLEAN_STOP,
            code => code,
        };
        return (code, "what comes after the hooks".into());
    }
    let hooks = report.hooks.iter().filter_map(|hook| {
        let what = match (hook.start.outcome, hook.stop.outcome) {
            (StepOutcome::Running, _) => "starting",
            (StepOutcome::Done, StepOutcome::Running) => "stopping",
            (StepOutcome::Done, StepOutcome::Waiting | StepOutcome::Pending) => "up",
            _ => return None,
        };
        Some(format!("{} ({what})", hook.name))
    });
    let running = |state| matches!(state, TaskState::Running | TaskState::Aborted);
    let tasks = report.tasks.iter().filter(|task| running(task.state));
    let tasks = tasks.map(|task| format!("task {}", task.name));
    let pending: Vec<String> = hooks.chain(tasks).collect();

    let mut errors = report.errors;
    errors.push(LifecycleError::StopDeadline {
        limit: orders.grace,
        pending: pending.clone(),
    });
    let code = exit_code::decide(report.reason.as_ref(), &errors);
    (code, pending.join(", "))
}

impl std::fmt::Debug for Orders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Orders")
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
