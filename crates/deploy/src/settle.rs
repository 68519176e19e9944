//! Brings a deployment that did not go to its end to one: forth, or back.
//!
//! One way for all reasons. A failed gate, a deadline, Ctrl-C and the death of the process differ
//! in one thing only: who died may have been about to succeed. Everything else is decided by the
//! journal and by whom the traffic goes to.

use tokio::time::timeout;

use crate::{
    engine::{ContainerState, Role},
    event::Event,
    halt::{Halt, Result},
    journal::{Kind, Record, Standing, Unfinished, Verdict},
    outcome::Problem,
    probe::Target,
    release::Release,
    session::Session,
    sweep::secrets_volume,
};

/// Why a deployment did not go to its end by itself.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// Its process died; nothing is known to be wrong.
    Died,
    /// Something went wrong.
    Failed(Problem),
}

/// To which end it was brought, and why to that one.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) verdict: Verdict,
    pub(crate) problem: Option<Problem>,
}

// === impl Session ===

impl Session<'_> {
    /// Brings what is unfinished to an end, within a time of its own.
    pub(crate) async fn settle(&mut self, cause: &Cause) -> Result<Option<Settled>> {
        let limit = self.options.deadlines.way_back;
        timeout(limit, self.settle_in_steps(cause))
            .await
            .unwrap_or(Err(Halt::Deadline))
    }

    async fn settle_in_steps(&mut self, cause: &Cause) -> Result<Option<Settled>> {
        while let Some(open) = self.journal.unfinished() {
            if let Some(settled) = self.settle_step(&open, cause).await? {
                return Ok(Some(settled));
            }
        }
        Ok(None)
    }

    /// One step: either it writes how much farther it is now, or it is the last one.
    async fn settle_step(&mut self, open: &Unfinished, cause: &Cause) -> Result<Option<Settled>> {
        let problem = match cause {
            Cause::Died => None,
            Cause::Failed(problem) => Some(problem.clone()),
        };
        let settled = |verdict, problem| Ok(Some(Settled { verdict, problem }));
        let Some(candidate) = open.candidate.as_ref() else {
            self.undo(open).await?;
            return settled(self.finish(Verdict::Undone).await?, problem);
        };
        match &open.standing {
            Standing::BeforeSwitch | Standing::Restoring(_) => {
                self.undo(open).await?;
                settled(self.finish(Verdict::Undone).await?, problem)
            }
            Standing::Switching => {
                let target = self.world.proxy.target().await?;
                if target.as_deref() == Some(candidate.name()) {
                    self.note(Record::Switched).await?;
                    return Ok(None);
                }
                self.undo(open).await?;
                settled(self.finish(Verdict::Undone).await?, problem)
            }
            Standing::Switched => {
                let failure = match problem {
                    Some(problem) => Some(problem),
                    None => self.front_door_failure(candidate).await,
                };
                let Some(failure) = failure else {
                    self.note(Record::Verified).await?;
                    return Ok(None);
                };
                if self.can_go_back(open).await {
                    let reason = failure.text;
                    self.note(Record::SwitchingBack { reason }).await?;
                    return Ok(None);
                }
                let verdict = self.degrade(candidate, &failure.text).await?;
                settled(verdict, Some(failure))
            }
            Standing::Verified => self.settle_verified(candidate, problem).await.map(Some),
            Standing::SwitchingBack(reason) => self.go_back(open, candidate, reason).await,
            Standing::SwitchedBack(reason) => {
                let problem = problem.unwrap_or_else(|| refused(reason));
                let verdict = self.went_back(open, candidate).await?;
                settled(verdict, Some(problem))
            }
        }
    }

    /// The new release serves for good; only the rest may have failed.
    async fn settle_verified(
        &mut self,
        candidate: &Release,
        problem: Option<Problem>,
    ) -> Result<Settled> {
        self.promote(candidate).await?;
        let problem = match problem {
            Some(problem) => Some(problem),
            None => self
                .sweep()
                .await
                .err()
                .map(|halt| match halt {
                    Halt::Lost => Err(Halt::Lost),
                    halt => Ok(halt.problem()),
                })
                .transpose()?,
        };
        let verdict = if problem.is_some() {
            Verdict::Degraded
        } else {
            Verdict::Done
        };
        let verdict = self.finish(verdict).await?;
        Ok(Settled { verdict, problem })
    }

    /// Writes down that a release serves.
    pub(crate) async fn promote(&mut self, release: &Release) -> Result<()> {
        self.state.promote(release);
        self.state.degraded = None;
        Ok(self.state.write(&*self.world.store).await?)
    }

    /// Removes what was made for a release that never got traffic.
    async fn undo(&mut self, open: &Unfinished) -> Result<()> {
        self.reporter.tell(Event::GoingBack {
            reason: "what was made before the switch is removed".into(),
        });
        self.remove_one_shots().await?;
        if open.kind != Kind::Deploy {
            // A restore may have taken it away. First, so that somebody serves.
            if let Some(from) = &open.from {
                self.wake(from).await?;
            }
            // It was there before, as the way back.
            if let Some(candidate) = &open.candidate {
                self.stop_release(candidate).await?;
            }
            return Ok(());
        }
        let engine = &self.world.engine;
        for container in engine.containers().await? {
            if container.role == Role::Server && container.release == Some(open.number) {
                engine
                    .stop(&container.name, std::time::Duration::ZERO)
                    .await?;
                engine.remove(&container.name).await?;
            }
        }
        let volume = secrets_volume(self.project, open.number);
        Ok(engine.remove_volume(&volume).await?)
    }

    /// What is wrong with a release behind the front door, if anything.
    pub(crate) async fn front_door_failure(&self, release: &Release) -> Option<Problem> {
        let target = Target::FrontDoor(release.name().to_owned());
        let failures = self.failed_tests(&target).await;
        let listed = failures.join("\n");
        (!failures.is_empty()).then(|| {
            Problem::new(
                "front_door",
                format!("tests through the front door failed:\n{listed}"),
                "see the log of the new release, which was kept, and that of the proxy",
            )
        })
    }

    /// Whether the old release could serve: it runs and is well, or can be started.
    async fn can_go_back(&self, open: &Unfinished) -> bool {
        match &open.from {
            Some(from) => self.wake(from).await.is_ok(),
            None => false,
        }
    }

    /// Starts a release that served before, if it does not run, and waits until it is well.
    pub(crate) async fn wake(&self, release: &Release) -> Result<()> {
        let found = self.world.engine.container(release.name()).await?;
        match found.map(|container| container.state) {
            Some(ContainerState::Running) => {}
            Some(_) => self.world.engine.start(release.name()).await?,
            None => {
                self.world.engine.create(&release.container).await?;
                self.world.engine.start(release.name()).await?;
            }
        }
        self.wait_until_healthy(release.name()).await
    }

    async fn go_back(
        &mut self,
        open: &Unfinished,
        candidate: &Release,
        reason: &str,
    ) -> Result<Option<Settled>> {
        self.reporter.tell(Event::GoingBack {
            reason: reason.to_owned(),
        });
        let problem = refused(reason);
        let Some(from) = open.from.as_ref() else {
            let verdict = self.degrade(candidate, reason).await?;
            return Ok(Some(Settled {
                verdict,
                problem: Some(problem),
            }));
        };
        if let Err(halt) = self.wake(from).await {
            if matches!(halt, Halt::Lost) {
                return Err(halt);
            }
            // Better one that is not proven than one that does not run.
            self.world.proxy.point_to(candidate.name()).await?;
            let verdict = self.degrade(candidate, reason).await?;
            return Ok(Some(Settled {
                verdict,
                problem: Some(problem),
            }));
        }
        self.world.proxy.point_to(from.name()).await?;
        self.reporter.tell(Event::Switched {
            from: Some(candidate.name().to_owned()),
            to: from.name().to_owned(),
        });
        self.note(Record::SwitchedBack).await?;
        Ok(None)
    }

    /// The refused release is stopped and kept, so that it can be looked at.
    async fn went_back(&mut self, open: &Unfinished, candidate: &Release) -> Result<Verdict> {
        self.drain(candidate.name()).await?;
        self.stop_release(candidate).await?;
        if open.kind == Kind::Deploy {
            self.state.rejected = Some(candidate.clone());
            self.state.write(&*self.world.store).await?;
        }
        if let Err(halt) = self.sweep().await {
            self.reporter.warn(halt.problem().text);
        }
        self.finish(Verdict::RolledBack).await
    }

    /// The new release serves, although it is not as it should be: nothing else could.
    async fn degrade(&mut self, candidate: &Release, reason: &str) -> Result<Verdict> {
        self.state.promote(candidate);
        self.state.degraded = Some(self.reporter.scrub(reason));
        self.state.write(&*self.world.store).await?;
        self.finish(Verdict::Degraded).await
    }
}

fn refused(reason: &str) -> Problem {
    Problem::new(
        "front_door",
        reason,
        "see the log of the new release, which was kept, and that of the proxy",
    )
}
