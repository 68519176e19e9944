//! What all commands share: the lease, the settling of what was interrupted, the last word.

use tokio::time::Instant;

use crate::{
    desired::Options,
    event::{Event, Observer, Reporter, millis},
    halt::{Halt, Result},
    journal::{Journal, Record, Standing, Verdict},
    lease::{Lease, LeaseError},
    outcome::{Outcome, Problem},
    phase::Phase,
    secret::Scrubber,
    session::Session,
    settle::{Cause, Settled},
    state::State,
    stop::Stop,
    world::World,
};

/// Where a command runs, who is told, and how it is asked to stop.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Everything outside.
    pub world: &'a World,
    /// How it is to be done.
    pub options: &'a Options,
    /// Who is told.
    pub observers: &'a [&'a dyn Observer],
    /// Asks it to stop.
    pub stop: &'a Stop,
}

// === impl Ground ===

impl Ground<'_> {
    /// Runs a command under the lease, after what was interrupted before is settled.
    pub(crate) async fn run(
        self,
        project: &str,
        scrubber: Scrubber,
        work: impl AsyncFnOnce(&mut Session<'_>) -> Outcome,
    ) -> Outcome {
        let started = Instant::now();
        let reporter = Reporter::new(self.observers, scrubber, &*self.world.clock);
        let outcome = tokio::select! {
            biased;
            () = self.stop.now() => Outcome::Interrupted { undone: false },
            // On the heap: with all phases in it the future has twenty kilobytes.
            outcome = Box::pin(self.under_lease(project, &reporter, work)) => outcome,
        };
        reporter.tell(Event::Finished {
            exit_code: outcome.exit_code().get(),
            result: outcome.clone(),
            elapsed_ms: millis(started.elapsed()),
        });
        outcome
    }

    async fn under_lease(
        self,
        project: &str,
        reporter: &Reporter<'_>,
        work: impl AsyncFnOnce(&mut Session<'_>) -> Outcome,
    ) -> Outcome {
        let world = self.world;
        let taken = Lease::take(
            &*world.store,
            &*world.clock,
            &*world.processes,
            self.options.lease,
        );
        let lease = match taken.await {
            Ok(lease) => lease,
            Err(LeaseError::Locked { owner, .. }) => {
                return Outcome::Locked { owner: Some(owner) };
            }
            Err(LeaseError::Lost) => return Outcome::Locked { owner: None },
            Err(LeaseError::Store(error)) => return Halt::from(error).before_phases(),
        };
        // In the same task: when we die, nothing of us goes on renewing it.
        let outcome = tokio::select! {
            biased;
            _ = lease.keep() => return Outcome::Locked { owner: None },
            outcome = self.opened(project, reporter, &lease, work) => outcome,
        };
        // One that cannot be freed runs out by itself.
        let _ = lease.free().await;
        outcome
    }

    async fn opened(
        self,
        project: &str,
        reporter: &Reporter<'_>,
        lease: &Lease<'_>,
        work: impl AsyncFnOnce(&mut Session<'_>) -> Outcome,
    ) -> Outcome {
        let store = &*self.world.store;
        let opened = async {
            let journal = Journal::open(store).await?;
            let state = State::read(store).await?;
            Result::Ok((journal, state))
        };
        let (journal, state) = match opened.await {
            Ok(opened) => opened,
            Err(halt) => return halt.before_phases(),
        };
        let mut session = Session {
            world: self.world,
            options: self.options,
            reporter,
            lease,
            stop: self.stop,
            project,
            journal,
            state,
        };
        if let Err(outcome) = session.recover().await {
            return outcome;
        }
        work(&mut session).await
    }
}

// === impl Session ===

impl Session<'_> {
    /// Brings to an end what somebody before us could not.
    async fn recover(&mut self) -> std::result::Result<(), Outcome> {
        let Some(open) = self.journal.unfinished() else {
            return Ok(());
        };
        self.reporter.tell(Event::Recovering {
            text: format!(
                "the deployment of release {} was interrupted; it is settled first",
                open.number
            ),
        });
        match self.settle(&Cause::Died).await {
            Ok(settled) => {
                let end = match settled.map(|settled| settled.verdict) {
                    Some(Verdict::Done) => "completed: the new release serves",
                    Some(Verdict::RolledBack) => "rolled back: the old release serves",
                    Some(Verdict::Degraded) => "completed, but not all is well",
                    Some(Verdict::Undone) | None => "undone: the old release serves",
                };
                self.reporter.step(format!("What was interrupted is {end}"));
                Ok(())
            }
            Err(halt) => Err(self.unsettled(None, &halt, &halt)),
        }
    }

    /// Ends a command that could not go on: back or forth, and with which word.
    pub(crate) async fn conclude(&mut self, phase: Option<Phase>, halt: Halt) -> Outcome {
        if matches!(halt, Halt::Lost) {
            return Outcome::Locked { owner: None };
        }
        let problem = self.scrubbed(halt.problem());
        if let Some(phase) = phase {
            self.reporter.tell(Event::PhaseFailed {
                phase,
                problem: problem.clone(),
            });
        }
        match self.settle(&Cause::Failed(problem.clone())).await {
            Err(Halt::Lost) => Outcome::Locked { owner: None },
            Err(worse) => self.unsettled(phase, &halt, &worse),
            Ok(None) => failed(phase, &halt, problem),
            Ok(Some(Settled {
                verdict,
                problem: why,
            })) => {
                let problem = why.map_or(problem, |why| self.scrubbed(why));
                match verdict {
                    Verdict::Undone => failed(phase, &halt, problem),
                    Verdict::RolledBack => Outcome::RolledBack { problem },
                    Verdict::Degraded => Outcome::Degraded { problem },
                    Verdict::Done => Outcome::Done {
                        release: self.state.current.as_ref().map(|release| release.number),
                    },
                }
            }
        }
    }

    /// It went wrong, and so did the settling. The journal stays as it is: the next one tries.
    fn unsettled(&self, phase: Option<Phase>, halt: &Halt, worse: &Halt) -> Outcome {
        if matches!(worse, Halt::Lost) {
            return Outcome::Locked { owner: None };
        }
        let mut problem = self.scrubbed(worse.problem());
        "run the command again: it goes on from here".clone_into(&mut problem.remedy);
        match self.journal.unfinished().map(|open| open.standing) {
            Some(Standing::Verified) => Outcome::Degraded { problem },
            None | Some(Standing::BeforeSwitch | Standing::Restoring(_)) => match halt {
                Halt::Interrupted => Outcome::Interrupted { undone: false },
                _ => failed(phase, halt, self.scrubbed(halt.problem())),
            },
            Some(_) => Outcome::RollbackFailed { problem },
        }
    }

    /// Begins a new page of the journal.
    pub(crate) async fn begin(&mut self, record: Record) -> Result<()> {
        self.checkpoint()?;
        Ok(self.journal.begin(record).await?)
    }

    fn scrubbed(&self, problem: Problem) -> Problem {
        Problem {
            text: self.reporter.scrub(&problem.text),
            ..problem
        }
    }
}

// === impl Halt ===

impl Halt {
    /// The outcome if nothing was begun.
    pub(crate) fn before_phases(&self) -> Outcome {
        match self {
            Self::Lost => Outcome::Locked { owner: None },
            Self::Interrupted => Outcome::Interrupted { undone: true },
            Self::Problem(_) | Self::Deadline => Outcome::Failed {
                phase: None,
                problem: self.problem(),
            },
        }
    }
}

fn failed(phase: Option<Phase>, halt: &Halt, problem: Problem) -> Outcome {
    match (halt, phase) {
        (Halt::Interrupted, _) => Outcome::Interrupted { undone: true },
        (Halt::Deadline, Some(phase)) => Outcome::TimedOut { phase },
        _ => Outcome::Failed { phase, problem },
    }
}
