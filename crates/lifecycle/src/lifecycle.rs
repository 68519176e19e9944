//! The life of a process: all its hooks, and the limits of the whole.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;
use tria_check::Phase;

use crate::{
    BuildError, Hook, HookReport, LifecycleError, RunReport, ShutdownHandle, ShutdownReason,
    Signal, Signals, board::Board, exit_code, graph::Graph, run::Run,
};

/// The life of a process, ready to run.
///
/// Its phases only move forward: `Starting → Ready → Draining → Stopping → Stopped`, or
/// `Starting → RollingBack →` `Failed`, or `Stopped` where the start was interrupted on purpose.
///
/// ```
/// use std::time::Duration;
/// use tria_lifecycle::{Hook, Lifecycle};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let lifecycle = Lifecycle::builder()
///     .hook(Hook::new("environment").on_start(|_| async { Ok(()) }))
///     .hook(
///         Hook::new("database")
///             .after(["environment"])
///             .start_timeout(Duration::from_secs(5))
///             .on_start(|cx| async move {
///                 let port: u16 = cx.interruptible(async { "5432" }).await?.parse()?;
///                 assert_eq!(port, 5432);
///                 Ok(())
///             })
///             .on_stop(|_| async { Ok(()) }),
///     )
///     .build()?;
///
/// lifecycle.shutdown_handle().shutdown("the example is over");
/// let report = lifecycle.run().await;
/// assert_eq!(report.exit_code, 0);
/// # Ok(())
/// # }
/// ```
pub struct Lifecycle {
    hooks: Vec<Hook>,
    graph: Graph,
    limits: Limits,
    signals: Option<watch::Receiver<Option<Signal>>>,
    board: Arc<Board>,
}

/// Builds a [`Lifecycle`].
#[derive(Debug)]
pub struct LifecycleBuilder {
    hooks: Vec<Hook>,
    limits: Limits,
    phase: watch::Sender<Phase>,
    signals: Option<watch::Receiver<Option<Signal>>>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    start_deadline: Option<Duration>,
    settle_timeout: Duration,
    rollback_deadline: Duration,
    pre_drain: Duration,
    stop_deadline: Duration,
}

// === impl Lifecycle ===

impl Lifecycle {
    /// A lifecycle without hooks yet.
    pub fn builder() -> LifecycleBuilder {
        LifecycleBuilder::default()
    }

    /// The phase, now and from now on.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.board.phase()
    }

    /// The report as it grows. A watcher that reads it while the phase is final reads the whole.
    pub fn report(&self) -> watch::Receiver<RunReport> {
        self.board.report()
    }

    /// A handle that can shut this lifecycle down.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::new(Arc::clone(&self.board))
    }

    /// Starts everything, waits until a stop is asked for or a hook fails, and stops everything.
    /// It always comes to an end after that; what went wrong is in the report.
    ///
    /// Dropping the future aborts all starts and stops under way and cancels the tokens of all
    /// hooks; no more stops are called.
    pub async fn run(self) -> RunReport {
        let Self {
            hooks,
            graph,
            limits,
            signals,
            board,
        } = self;
        let root = CancellationToken::new();
        let _cancel_all = root.clone().drop_guard();
        let run = Run::new(hooks, graph, Arc::clone(&board), &root);
        tokio::select! {
            // A signal that came already comes before any start.
            biased;
            never = relay(signals, &board) => match never {},
            () = live(run, limits, &board) => {}
        }
        board.latest()
    }
}

/// From the first hook's start to the last one's stop.
async fn live(mut run: Run, limits: Limits, board: &Board) {
    let begun = Instant::now();
    let give_up = CancellationToken::new();
    run.start(limits.start_deadline, &give_up).await;

    let stopping;
    let failed = if let Some(reason) = board.reason() {
        stopping = Instant::now();
        if let (ShutdownReason::StartDeadline, Some(limit)) = (&reason, limits.start_deadline) {
            board.record(LifecycleError::StartDeadline {
                limit,
                pending: run.starting(),
            });
        }
        board.enter(Phase::RollingBack, begun.elapsed());
        run.settle(limits.settle_timeout, &give_up).await;
        run.stop(limits.rollback_deadline, &reason).await;
        !reason.is_on_purpose()
    } else {
        board.enter(Phase::Ready, begun.elapsed());
        let reason = board.requested().await;
        stopping = Instant::now();
        board.enter(Phase::Draining, Duration::ZERO);
        time::sleep(limits.pre_drain).await;
        board.enter(Phase::Stopping, stopping.elapsed());
        run.stop(limits.stop_deadline, &reason).await;
        false
    };

    let code = exit_code::decide(board.reason().as_ref(), &board.latest().errors);
    let end = if failed {
        Phase::Failed(code)
    } else {
        Phase::Stopped(code)
    };
    board.enter(end, stopping.elapsed());
}

/// Puts the first signal on the board.
async fn relay(
    signals: Option<watch::Receiver<Option<Signal>>>,
    board: &Board,
) -> std::convert::Infallible {
    if let Some(mut signals) = signals {
        // An error means that no signal can come any more.
        let first = signals
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|first| *first);
        if let Some(signal) = first {
            board.request(ShutdownReason::Signal(signal));
        }
    }
    std::future::pending().await
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle")
            .field("hooks", &self.hooks)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

// === impl LifecycleBuilder ===

impl LifecycleBuilder {
    /// The phase, now and from now on: for parts that hooks are made of, and that must exist
    /// before the lifecycle does.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Adds a hook.
    pub fn hook(mut self, hook: Hook) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Adds hooks.
    pub fn hooks(mut self, hooks: impl IntoIterator<Item = Hook>) -> Self {
        self.hooks.extend(hooks);
        self
    }

    /// Shuts down at the first signal, also if it came long ago.
    pub fn signals(mut self, signals: &Signals) -> Self {
        self.signals = Some(signals.first());
        self
    }

    /// How long the start may take as a whole; the hooks' own timeouts only, if not set.
    pub fn start_deadline(mut self, limit: Duration) -> Self {
        self.limits.start_deadline = Some(limit);
        self
    }

    /// How long starts under way may go on after they were cancelled, so that they can finish what
    /// they are at; after that their futures are dropped. 5 s if not set.
    pub fn settle_timeout(mut self, limit: Duration) -> Self {
        self.limits.settle_timeout = limit;
        self
    }

    /// How long stopping may take as a whole after a start that failed or was interrupted. Counts
    /// from when the start has settled. 20 s if not set.
    pub fn rollback_deadline(mut self, limit: Duration) -> Self {
        self.limits.rollback_deadline = limit;
        self
    }

    /// How long the phase is `Draining` before anything is stopped, so that whoever routes traffic
    /// here can notice. 0 if not set.
    pub fn pre_drain(mut self, time: Duration) -> Self {
        self.limits.pre_drain = time;
        self
    }

    /// How long stopping may take as a whole, after the drain. What is not stopped then is named
    /// and left behind. 20 s if not set.
    pub fn stop_deadline(mut self, limit: Duration) -> Self {
        self.limits.stop_deadline = limit;
        self
    }

    /// The lifecycle, if its hooks fit together.
    ///
    /// # Errors
    /// All duplicate names, unknown dependencies and cycles at once.
    pub fn build(self) -> Result<Lifecycle, BuildError> {
        let Self {
            hooks,
            limits,
            phase,
            signals,
        } = self;
        let edges: Vec<(&str, &[String])> = hooks
            .iter()
            .map(|hook| (hook.name.as_str(), hook.after.as_slice()))
            .collect();
        let graph = Graph::build(&edges)?;
        let reports = edges
            .iter()
            .map(|(name, after)| HookReport::new(name, after))
            .collect();
        let board = Arc::new(Board::new(phase, RunReport::new(reports)));
        Ok(Lifecycle {
            hooks,
            graph,
            limits,
            signals,
            board,
        })
    }
}

impl Default for LifecycleBuilder {
    fn default() -> Self {
        Self {
            hooks: Vec::new(),
            limits: Limits::default(),
            phase: watch::Sender::new(Phase::Starting),
            signals: None,
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    /// Stopping, settling included, fits the 30 s that most platforms give.
    fn default() -> Self {
        Self {
            start_deadline: None,
            settle_timeout: Duration::from_secs(5),
            rollback_deadline: Duration::from_secs(20),
            pre_drain: Duration::ZERO,
            stop_deadline: Duration::from_secs(20),
        }
    }
}
