//! What a lifecycle consists of, and the limits of the whole.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tria_check::Phase;

use crate::{
    BuildError, HardStop, Hook, HookReport, Lifecycle, RunReport, ServiceManager, Signal, Signals,
    board::Board, graph::Graph, hard_stop::Orders, limits::Limits,
};

/// Builds a [`Lifecycle`].
#[derive(Debug)]
pub struct LifecycleBuilder {
    hooks: Vec<Hook>,
    limits: Limits,
    phase: watch::Sender<Phase>,
    signals: Option<watch::Receiver<Option<Signal>>>,
    hard_stop: Option<watch::Sender<Orders>>,
    service_manager: Option<ServiceManager>,
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
    /// from when the start has settled. If not set, 20 s, or what the grace leaves.
    pub fn rollback_deadline(mut self, limit: Duration) -> Self {
        self.limits.rollback_deadline = Some(limit);
        self
    }

    /// How long the phase is `Draining` before anything is stopped, so that whoever routes traffic
    /// here can notice. 0 if not set.
    pub fn pre_drain(mut self, time: Duration) -> Self {
        self.limits.pre_drain = time;
        self
    }

    /// How long stopping may take as a whole, after the drain. What is not stopped then is named
    /// and left behind. If not set, 20 s, or what the grace leaves.
    pub fn stop_deadline(mut self, limit: Duration) -> Self {
        self.limits.stop_deadline = Some(limit);
        self
    }

    /// How long the process may take to end, from when a stop was asked for or a start failed:
    /// what the platform grants before it kills, and a little less. The stop and the rollback get
    /// what is left of it; and it is an error to build a lifecycle whose stop may take longer.
    /// Without it only the other limits hold.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.limits.grace = Some(limit);
        self
    }

    /// How much of the grace is kept for what comes after the run: the end of the runtime, and
    /// what must outlive it. 250 ms if not set.
    pub fn reserve(mut self, time: Duration) -> Self {
        self.limits.reserve = time;
        self
    }

    /// Lets `hard_stop` end the process when it does not end within the grace.
    pub fn hard_stop(mut self, hard_stop: &HardStop) -> Self {
        self.hard_stop = Some(hard_stop.orders());
        self
    }

    /// Tells `manager`, if there is one, how the run stands.
    pub fn service_manager(mut self, manager: impl Into<Option<ServiceManager>>) -> Self {
        self.service_manager = manager.into();
        self
    }

    /// The lifecycle, if its hooks fit together.
    ///
    /// # Errors
    /// All duplicate names, unknown dependencies and cycles at once. Where there are none: hooks
    /// whose stop timeouts, one after another, do not fit the grace.
    pub fn build(self) -> Result<Lifecycle, BuildError> {
        let Self {
            hooks,
            limits,
            phase,
            signals,
            hard_stop,
            service_manager,
        } = self;
        let edges: Vec<(&str, &[String])> = hooks
            .iter()
            .map(|hook| (hook.name.as_str(), hook.after.as_slice()))
            .collect();
        let graph = Graph::build(&edges)?;
        limits.fit(&hooks, &graph)?;
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
            hard_stop,
            service_manager,
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
            hard_stop: None,
            service_manager: None,
        }
    }
}
