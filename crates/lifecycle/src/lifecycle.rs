//! The life of a process: all its hooks, from their start to their stop.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;
use tria_check::Phase;

use crate::{
    Hook, LifecycleBuilder, LifecycleError, RunReport, ServiceManager, ShutdownHandle,
    ShutdownReason, Signal, board::Board, exit_code, graph::Graph, hard_stop::Orders,
    limits::Limits, run::Run,
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
    pub(crate) hooks: Vec<Hook>,
    pub(crate) graph: Graph,
    pub(crate) limits: Limits,
    pub(crate) signals: Option<watch::Receiver<Option<Signal>>>,
    pub(crate) hard_stop: Option<watch::Sender<Orders>>,
    pub(crate) service_manager: Option<ServiceManager>,
    pub(crate) board: Arc<Board>,
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
            hard_stop,
            service_manager,
            board,
        } = self;
        if let Some(orders) = hard_stop {
            orders.send_modify(|orders| orders.follow(&board, limits.grace));
        }
        let root = CancellationToken::new();
        let _cancel_all = root.clone().drop_guard();
        let run = Run::new(hooks, graph, Arc::clone(&board), &root);
        tokio::select! {
            // A signal that came already comes before any start.
            biased;
            never = relay(signals, &board) => match never {},
            never = follow(service_manager.clone(), &board) => match never {},
            () = live(run, limits, &board) => {}
        }
        let report = board.latest();
        if let Some(manager) = service_manager {
            manager.conclude(&report);
        }
        report
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
        run.settle(limits.settle(), &give_up).await;
        run.stop(limits.rollback(stopping.elapsed()), &reason).await;
        !reason.is_on_purpose()
    } else {
        board.enter(Phase::Ready, begun.elapsed());
        let reason = board.requested().await;
        stopping = Instant::now();
        board.enter(Phase::Draining, Duration::ZERO);
        time::sleep(limits.pre_drain).await;
        board.enter(Phase::Stopping, stopping.elapsed());
        run.stop(limits.stop(stopping.elapsed()), &reason).await;
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

/// Tells the manager, if there is one.
async fn follow(manager: Option<ServiceManager>, board: &Board) -> Infallible {
    match manager {
        Some(manager) => manager.follow(board.report()).await,
        None => std::future::pending().await,
    }
}

/// Puts the first signal on the board.
async fn relay(signals: Option<watch::Receiver<Option<Signal>>>, board: &Board) -> Infallible {
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
