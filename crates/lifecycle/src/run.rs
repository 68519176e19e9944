//! The start and the stop of a graph of hooks.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Hook, HookContext, LifecycleError, ShutdownHandle, ShutdownReason, Step, StepOutcome,
    StopContext,
    board::Board,
    graph::Graph,
    hook::{StartFn, StopFn},
    supervise::{StepEnd, supervise},
};

/// The hooks of one run, and how far each has come.
pub(crate) struct Run {
    board: Arc<Board>,
    graph: Graph,
    hooks: Vec<Slot>,
    /// The steps under way.
    steps: FuturesUnordered<BoxFuture<'static, Ended>>,
}

struct Slot {
    state: State,
    start: Option<StartFn>,
    stop: Option<StopFn>,
    stops_unstarted: bool,
    start_timeout: Duration,
    stop_timeout: Duration,
    token: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Never started, or its start failed.
    Down,
    Starting,
    Up,
    Stopping,
    Stopped,
}

/// Stands for a limit that lies beyond what the clock can say.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A step that ended.
struct Ended {
    hook: usize,
    begun: Instant,
    end: StepEnd,
}

// === impl Run ===

impl Run {
    /// The tokens of the hooks are children of `root`.
    pub(crate) fn new(
        hooks: Vec<Hook>,
        graph: Graph,
        board: Arc<Board>,
        root: &CancellationToken,
    ) -> Self {
        let hooks = hooks
            .into_iter()
            .map(|hook| Slot::new(hook, root))
            .collect();
        Self {
            board,
            graph,
            hooks,
            steps: FuturesUnordered::new(),
        }
    }

    /// Starts every hook as soon as those it comes after are up, until all are or a reason to
    /// stop is on the board: from outside, a start that failed, or the `deadline`. Starts may then
    /// still be under way. They are given up when `give_up` is cancelled.
    pub(crate) async fn start(&mut self, deadline: Option<Duration>, give_up: &CancellationToken) {
        let mut waits_for: Vec<usize> = self.graph.dependencies.iter().map(Vec::len).collect();
        let mut free = indices(&waits_for, |count| *count == 0);
        let deadline = async move {
            match deadline {
                Some(limit) => time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        let board = Arc::clone(&self.board);
        while board.reason().is_none() {
            for hook in free.drain(..) {
                self.begin_start(hook, give_up.clone());
            }
            tokio::select! {
                biased;
                _ = board.requested() => {}
                ended = self.steps.next() => {
                    let Some(ended) = ended else { return };
                    let hook = ended.hook;
                    if self.end_start(ended) {
                        release(&self.graph.dependents[hook], &mut waits_for, &mut free);
                    } else {
                        let hook = board.name(hook).to_string();
                        board.request(ShutdownReason::StartFailed { hook });
                    }
                }
                () = &mut deadline => board.request(ShutdownReason::StartDeadline),
            }
        }
    }

    /// The hooks that are being started.
    pub(crate) fn starting(&self) -> Vec<String> {
        let starting = indices(&self.hooks, |slot| slot.state == State::Starting);
        starting
            .into_iter()
            .map(|hook| self.board.name(hook).to_string())
            .collect()
    }

    /// Cancels the starts under way and waits until they have ended. Those that have not after
    /// `limit` are given up.
    pub(crate) async fn settle(&mut self, limit: Duration, give_up: &CancellationToken) {
        for slot in self
            .hooks
            .iter()
            .filter(|slot| slot.state == State::Starting)
        {
            slot.token.cancel();
        }
        let limit = time::sleep(limit);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                biased;
                ended = self.steps.next() => match ended {
                    Some(ended) => {
                        self.end_start(ended);
                    }
                    None => return,
                },
                () = &mut limit, if !give_up.is_cancelled() => give_up.cancel(),
            }
        }
    }

    /// Stops every hook that is up, as soon as those that come after it are stopped. After `limit`
    /// the rest is left behind.
    pub(crate) async fn stop(&mut self, limit: Duration, reason: &ShutdownReason) {
        for slot in &mut self.hooks {
            if slot.state == State::Down && slot.stops_unstarted {
                slot.state = State::Up;
            }
        }
        // The way leads through hooks that are down, too: what was up without a start may need
        // what is behind them.
        let mut waits_for: Vec<usize> = self.graph.dependents.iter().map(Vec::len).collect();
        let mut free = indices(&waits_for, |count| *count == 0);

        let give_up = CancellationToken::new();
        let now = Instant::now();
        let end = now.checked_add(limit).unwrap_or(now + NEVER);
        let deadline = time::sleep_until(end);
        tokio::pin!(deadline);
        loop {
            while let Some(hook) = free.pop() {
                if !self.begin_stop(hook, end, reason, give_up.clone()) {
                    release(&self.graph.dependencies[hook], &mut waits_for, &mut free);
                }
            }
            tokio::select! {
                biased;
                ended = self.steps.next() => {
                    let Some(ended) = ended else { break };
                    let hook = ended.hook;
                    self.end_stop(ended);
                    if !give_up.is_cancelled() {
                        release(&self.graph.dependencies[hook], &mut waits_for, &mut free);
                    }
                }
                () = &mut deadline, if !give_up.is_cancelled() => give_up.cancel(),
            }
        }

        let left = indices(&self.hooks, |slot| {
            matches!(slot.state, State::Up | State::Stopping)
        });
        if !left.is_empty() {
            let pending = self.board.leave(&left);
            self.board
                .record(LifecycleError::StopDeadline { limit, pending });
        }
    }

    fn begin_start(&mut self, hook: usize, give_up: CancellationToken) {
        let slot = &mut self.hooks[hook];
        slot.state = State::Starting;
        let name = Arc::clone(self.board.name(hook));
        let span = tracing::info_span!("hook_start", hook = &*name);
        let shutdown = ShutdownHandle::new(Arc::clone(&self.board));
        let cx = HookContext::new(name, slot.token.clone(), shutdown);
        let (start, limit) = (slot.start.take(), slot.start_timeout);
        self.board.begin(hook, Step::Start);
        self.steps.push(Box::pin(async move {
            let begun = Instant::now();
            let end = match start {
                // Called inside the task: the closure may panic too.
                Some(start) => {
                    supervise(async move { start(cx).await }, limit, &give_up, span).await
                }
                None => StepEnd::Done,
            };
            Ended { hook, begun, end }
        }));
    }

    /// Whether the hook is up.
    fn end_start(&mut self, Ended { hook, begun, end }: Ended) -> bool {
        let slot = &mut self.hooks[hook];
        let outcome = match &end {
            StepEnd::Failed(error) if error.is_interrupted() && slot.token.is_cancelled() => {
                StepOutcome::Interrupted
            }
            StepEnd::GivenUp => StepOutcome::Interrupted,
            other => other.outcome(),
        };
        let is_up = outcome == StepOutcome::Done;
        slot.state = if is_up { State::Up } else { State::Down };
        let limit = slot.start_timeout;
        if !is_up {
            // What the start has spawned must not outlive it.
            slot.token.cancel();
        }
        self.board.end(hook, Step::Start, outcome, begun);
        if outcome != StepOutcome::Interrupted {
            self.record(hook, Step::Start, end, limit);
        }
        is_up
    }

    /// Whether there is a stop to wait for.
    fn begin_stop(
        &mut self,
        hook: usize,
        end: Instant,
        reason: &ShutdownReason,
        give_up: CancellationToken,
    ) -> bool {
        let slot = &mut self.hooks[hook];
        if slot.state != State::Up {
            return false;
        }
        slot.token.cancel();
        let begun = Instant::now();
        let Some(stop) = slot.stop.take() else {
            slot.state = State::Stopped;
            self.board.end(hook, Step::Stop, StepOutcome::Done, begun);
            return false;
        };
        slot.state = State::Stopping;
        let limit = slot.stop_timeout;
        let deadline = begun.checked_add(limit).map_or(end, |own| own.min(end));
        let name = Arc::clone(self.board.name(hook));
        let span = tracing::info_span!("hook_stop", hook = &*name);
        let cx = StopContext::new(name, deadline, reason.clone());
        self.board.begin(hook, Step::Stop);
        self.steps.push(Box::pin(async move {
            let end = supervise(async move { stop(cx).await }, limit, &give_up, span).await;
            Ended { hook, begun, end }
        }));
        true
    }

    fn end_stop(&mut self, Ended { hook, begun, end }: Ended) {
        let slot = &mut self.hooks[hook];
        // One that was given up stays where it was, to be named in the end.
        if !matches!(end, StepEnd::GivenUp) {
            slot.state = State::Stopped;
        }
        let limit = slot.stop_timeout;
        self.board.end(hook, Step::Stop, end.outcome(), begun);
        self.record(hook, Step::Stop, end, limit);
    }

    fn record(&self, hook: usize, step: Step, end: StepEnd, limit: Duration) {
        let hook = self.board.name(hook).to_string();
        self.board.record(match end {
            StepEnd::Done | StepEnd::GivenUp => return,
            StepEnd::Failed(error) => LifecycleError::failed(hook, step, error),
            StepEnd::Panicked(panic) => LifecycleError::Panicked { hook, step, panic },
            StepEnd::TimedOut => LifecycleError::TimedOut { hook, step, limit },
        });
    }
}

fn indices<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    (0..items.len())
        .filter(|index| wanted(&items[*index]))
        .collect()
}

/// Takes one off the count of each of `hooks`; those that wait for nothing more are `free`.
fn release(hooks: &[usize], waits_for: &mut [usize], free: &mut Vec<usize>) {
    for hook in hooks {
        waits_for[*hook] -= 1;
        if waits_for[*hook] == 0 {
            free.push(*hook);
        }
    }
}

// === impl Slot ===

impl Slot {
    fn new(hook: Hook, root: &CancellationToken) -> Self {
        let Hook {
            start,
            stop,
            stops_unstarted,
            start_timeout,
            stop_timeout,
            ..
        } = hook;
        let token = root.child_token();
        Self {
            state: State::Down,
            start,
            stop,
            stops_unstarted,
            start_timeout,
            stop_timeout,
            token,
        }
    }
}
