//! Runs the phases.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;
use tria_check::{Backoff, CheckReport, Code, Criticality, Finding, Outcome, Runner, Waiting};
use tria_lifecycle::{Hook, HookContext, HookError};

use crate::{
    Observer, Phase, PhaseReport, PhaseState, StartupEvent, Verdict, board::Board, exit_code,
};

/// How long a hook may take beyond the deadline of the start, so that the phases themselves tell
/// what was wrong instead of being cut.
const HOOK_MARGIN: Duration = Duration::from_secs(15);

/// How patiently a start waits for what may come up by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Every check is asked once.
    Once,
    /// Failures that may go away are retried for that long.
    For(Duration),
}

/// The start of one process. Clones are the same start.
#[derive(Clone)]
pub struct Startup {
    shared: Arc<Shared>,
}

/// Collects what a start consists of.
pub struct StartupBuilder {
    runner: Runner,
    phases: Vec<Phase>,
    patience: Patience,
    backoff: Backoff,
    observers: Vec<Box<dyn Observer>>,
}

struct Shared {
    runner: Runner,
    phases: Vec<Phase>,
    patience: Patience,
    backoff: Backoff,
    observers: Vec<Box<dyn Observer>>,
    board: Board,
    begun: Instant,
}

/// The start was refused; what was wrong is in the [`Verdict`], which the observers were told.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("startup refused: {problems} problems")]
pub struct StartupRefused {
    /// The number of problems.
    pub problems: usize,
}

// === impl Startup ===

impl Startup {
    /// A start whose checks `runner` runs. It waits a minute for what may come up by itself.
    pub fn builder(runner: Runner) -> StartupBuilder {
        StartupBuilder {
            runner,
            phases: Vec::new(),
            patience: Patience::For(Duration::from_secs(60)),
            backoff: Backoff::default(),
            observers: Vec::new(),
        }
    }

    /// The lifecycle hook of each phase, in order. Those that do not judge the configuration come
    /// after those that do, and run at the same time.
    ///
    /// A failed phase waits for the others' answers before it fails its hook, so that the rollback
    /// of the lifecycle cuts nobody short.
    pub fn hooks(&self) -> Vec<Hook> {
        let limit = match self.shared.patience {
            Patience::Once => HOOK_MARGIN,
            Patience::For(patience) => patience + HOOK_MARGIN,
        };
        let hook = |(index, phase): (usize, &Phase)| {
            let startup = self.clone();
            Hook::new(&phase.name)
                .after(self.predecessors(phase))
                .start_timeout(limit)
                .on_start(move |cx| async move { startup.run_hook(index, &cx).await })
        };
        self.shared.phases.iter().enumerate().map(hook).collect()
    }

    /// Runs all phases without a lifecycle, and gives the verdict.
    pub async fn prove(&self) -> Verdict {
        for (index, _) in self.indices(true) {
            if !self.run_phase(index).await {
                return self.verdict();
            }
        }
        join_all(self.indices(false).map(|(index, _)| self.run_phase(index))).await;
        let verdict = self.verdict();
        if verdict.may_serve() {
            self.complete();
        }
        verdict
    }

    /// Tells that the process serves now. Whoever runs the phases as hooks calls it when the
    /// lifecycle is ready, so that nobody reads of a complete start before it is.
    pub fn complete(&self) {
        self.tell_end();
    }

    fn tell_end(&self) {
        let (verdict, elapsed) = (self.verdict(), self.shared.begun.elapsed());
        self.tell(&StartupEvent::Ended {
            verdict: &verdict,
            elapsed,
        });
    }

    /// What the start came to so far. Phases that have not ended are skipped ones.
    pub fn verdict(&self) -> Verdict {
        let configuration: Vec<String> = self
            .indices(true)
            .map(|(_, phase)| phase.name.clone())
            .collect();
        Verdict::of(
            self.shared.board.reports(&self.shared.phases),
            &configuration,
        )
    }

    async fn run_hook(&self, index: usize, cx: &HookContext) -> Result<(), HookError> {
        if cx.interruptible(self.run_phase(index)).await? {
            return Ok(());
        }
        if !self.shared.phases[index].configuration {
            cx.interruptible(self.shared.board.all_ended()).await?;
        }
        let verdict = self.verdict();
        let code = verdict.exit_code().unwrap_or(exit_code::SOFTWARE);
        let refused = StartupRefused {
            problems: verdict.problems(),
        };
        Err(HookError::new(refused).with_exit_code(code))
    }

    /// Runs the checks of a phase in order, up to the first that blocks. Whether it passed.
    async fn run_phase(&self, index: usize) -> bool {
        let phase = &self.shared.phases[index];
        let (number, begun) = (index + 1, Instant::now());
        self.tell(&StartupEvent::PhaseBegan {
            number,
            title: &phase.title,
        });
        let waiting = self.waiting(number);
        let mut checks = Vec::new();
        for name in &phase.checks {
            let answer = self.shared.runner.wait_for(name, &waiting).await;
            let check = answer.unwrap_or_else(|| unregistered(name));
            self.tell(&StartupEvent::CheckEnded {
                number,
                check: &check,
            });
            let blocking = check.is_blocking();
            if blocking && check.outcome.is_permanent_failure() {
                self.shared.board.give_up().cancel();
            }
            checks.push(check);
            if blocking {
                break;
            }
        }
        let report = PhaseReport::new(number, phase, checks, begun.elapsed());
        self.tell(&StartupEvent::PhaseEnded(&report));
        let passed = report.state != PhaseState::Failed;
        let last = self.shared.board.enter(report);
        let over = last || (phase.configuration && !passed);
        if over && !self.verdict().may_serve() {
            self.tell_end();
        }
        passed
    }

    fn waiting(&self, number: usize) -> Waiting {
        let give_up = self.shared.board.give_up().clone();
        let patience = match self.shared.patience {
            Patience::For(patience) => patience,
            Patience::Once => {
                give_up.cancel();
                // Each check's own timeout bounds its first answer.
                Duration::from_secs(3600)
            }
        };
        let deadline = self.shared.begun + patience;
        let startup = self.clone();
        let on_retry = Arc::new(move |check: &CheckReport| {
            startup.tell(&StartupEvent::Retrying {
                number,
                check,
                deadline,
            });
        });
        Waiting {
            deadline,
            backoff: self.shared.backoff,
            give_up,
            on_retry,
        }
    }

    fn tell(&self, event: &StartupEvent<'_>) {
        for observer in &self.shared.observers {
            observer.on_event(event);
        }
    }

    fn indices(&self, configuration: bool) -> impl Iterator<Item = (usize, &Phase)> {
        let phases = self.shared.phases.iter().enumerate();
        phases.filter(move |(_, phase)| phase.configuration == configuration)
    }

    fn predecessors(&self, phase: &Phase) -> Vec<String> {
        if phase.configuration {
            return Vec::new();
        }
        self.indices(true)
            .map(|(_, phase)| phase.name.clone())
            .collect()
    }
}

/// A phase names a check that nobody registered: a bug of the wiring.
fn unregistered(name: &str) -> CheckReport {
    let finding = Finding::fail(Code::PANIC, "a phase names a check that is not registered")
        .remedy("this is a bug of the program: register the check");
    let outcome = Outcome::from(finding);
    CheckReport {
        name: name.to_owned(),
        criticality: Criticality::Critical,
        outcome,
        started_at: std::time::SystemTime::now(),
        finished: Instant::now(),
        duration: Duration::ZERO,
        attempts: 0,
    }
}

// === impl StartupBuilder ===

impl StartupBuilder {
    /// Adds a phase.
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phases.push(phase);
        self
    }

    /// Sets how patiently it waits.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how long it waits between two tries of a check.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Adds somebody to be told what happens.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// The start; its deadline counts from now.
    pub fn build(self) -> Startup {
        let board = Board::new(self.phases.len());
        let Self {
            runner,
            phases,
            patience,
            backoff,
            observers,
        } = self;
        let begun = Instant::now();
        let shared = Shared {
            runner,
            phases,
            patience,
            backoff,
            observers,
            board,
            begun,
        };
        Startup {
            shared: Arc::new(shared),
        }
    }
}

#[cfg(test)]
#[path = "startup_tests.rs"]
mod tests;
