//! How long the whole may take, and whether its parts fit into that.

use std::time::Duration;

use crate::{BuildError, GraphProblem, Hook, graph::Graph};

/// The limits of the whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) start_deadline: Option<Duration>,
    pub(crate) settle_timeout: Duration,
    pub(crate) rollback_deadline: Option<Duration>,
    pub(crate) pre_drain: Duration,
    pub(crate) stop_deadline: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) reserve: Duration,
}

/// Without a grace, this and the time to settle fit the 30 s that most platforms give.
const UNTOLD: Duration = Duration::from_secs(20);

// === impl Limits ===

impl Limits {
    /// How long starts under way may go on once they were cancelled. Of a grace, at most half:
    /// what has started must be stopped too.
    pub(crate) fn settle(&self) -> Duration {
        match self.grace {
            Some(grace) => self
                .settle_timeout
                .min(grace.saturating_sub(self.reserve) / 2),
            None => self.settle_timeout,
        }
    }

    /// How long the rollback may take, when so much time has passed since it was asked for.
    pub(crate) fn rollback(&self, passed: Duration) -> Duration {
        self.left(self.rollback_deadline, passed)
    }

    /// How long the stop may take, when so much time has passed since it was asked for.
    pub(crate) fn stop(&self, passed: Duration) -> Duration {
        self.left(self.stop_deadline, passed)
    }

    fn left(&self, own: Option<Duration>, passed: Duration) -> Duration {
        match (own, self.grace) {
            (own, None) => own.unwrap_or(UNTOLD),
            (own, Some(grace)) => {
                let left = grace.saturating_sub(self.reserve).saturating_sub(passed);
                own.map_or(left, |own| own.min(left))
            }
        }
    }

    /// Whether the longest stop that `hooks` may take fits the grace.
    pub(crate) fn fit(&self, hooks: &[Hook], graph: &Graph) -> Result<(), BuildError> {
        let Some(grace) = self.grace else {
            return Ok(());
        };
        let path = critical_path(hooks, graph);
        let stops = path.iter().map(|hook| hooks[*hook].stop_timeout);
        let needed = stops.fold(
            self.pre_drain.saturating_add(self.reserve),
            Duration::saturating_add,
        );
        if needed <= grace {
            return Ok(());
        }
        let told = |hook: usize| (hooks[hook].name.clone(), hooks[hook].stop_timeout);
        Err(GraphProblem::OverGrace {
            grace,
            needed,
            pre_drain: self.pre_drain,
            path: path.into_iter().map(told).collect(),
            reserve: self.reserve,
        }
        .into())
    }
}

/// The hooks whose stops, each waiting for the one before it, may take longest, in the order in
/// which they stop.
fn critical_path(hooks: &[Hook], graph: &Graph) -> Vec<usize> {
    let mut waits_for: Vec<usize> = graph.dependents.iter().map(Vec::len).collect();
    let mut free: Vec<usize> = (0..hooks.len())
        .filter(|hook| waits_for[*hook] == 0)
        .collect();
    // For each hook the one before it on the longest way there, and how long all of it takes.
    let mut before: Vec<Option<usize>> = vec![None; hooks.len()];
    let mut takes = vec![Duration::ZERO; hooks.len()];
    while let Some(hook) = free.pop() {
        takes[hook] = takes[hook].saturating_add(own(&hooks[hook]));
        for next in &graph.dependencies[hook] {
            if takes[hook] > takes[*next] {
                (takes[*next], before[*next]) = (takes[hook], Some(hook));
            }
            waits_for[*next] -= 1;
            if waits_for[*next] == 0 {
                free.push(*next);
            }
        }
    }
    let last = (0..hooks.len()).max_by_key(|hook| takes[*hook]);
    let mut path: Vec<usize> = std::iter::successors(last, |hook| before[*hook])
        .filter(|hook| hooks[*hook].stop.is_some())
        .collect();
    path.reverse();
    path
}

/// How long the stop of a hook may take; nothing, where there is none.
fn own(hook: &Hook) -> Duration {
    match hook.stop {
        Some(_) => hook.stop_timeout,
        None => Duration::ZERO,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start_deadline: None,
            settle_timeout: Duration::from_secs(5),
            rollback_deadline: None,
            pre_drain: Duration::ZERO,
            stop_deadline: None,
            grace: None,
            // A hook that blocks its thread is waited for a little at the deadline.
            reserve: Duration::from_millis(250),
        }
    }
}
