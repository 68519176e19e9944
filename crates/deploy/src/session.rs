//! One deployment under its lease: what all phases share.

use std::{future::Future, time::Duration};

use tokio::time::sleep;

use crate::{
    desired::Options,
    engine::{ContainerSpec, ContainerState, Health, Output, Role},
    event::Reporter,
    halt::{Halt, Result},
    journal::{Journal, Record, Standing, Verdict},
    lease::Lease,
    outcome::Problem,
    release::Release,
    state::State,
    stop::Stop,
    world::World,
};

pub(crate) struct Session<'a> {
    pub(crate) world: &'a World,
    pub(crate) options: &'a Options,
    pub(crate) reporter: &'a Reporter<'a>,
    pub(crate) lease: &'a Lease<'a>,
    pub(crate) stop: &'a Stop,
    pub(crate) project: &'a str,
    pub(crate) journal: Journal<'a>,
    pub(crate) state: State,
}

/// How often a container is looked at while we wait for it.
const GLANCE: Duration = Duration::from_millis(500);

/// What a command that runs once may take to stop.
const ONE_SHOT_GRACE: Duration = Duration::from_secs(30);

/// Lines of a log that are told when something failed.
const TAIL: usize = 20;

// === impl Session ===

impl Session<'_> {
    /// Between two operations: whether we may go on.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        if !self.lease.is_held() {
            return Err(Halt::Lost);
        }
        if self.stop.is_asked() && self.before_switch() {
            return Err(Halt::Interrupted);
        }
        Ok(())
    }

    /// Writes to the journal what is about to be done, or was.
    pub(crate) async fn note(&mut self, record: Record) -> Result<()> {
        if !self.lease.is_held() {
            return Err(Halt::Lost);
        }
        Ok(self.journal.write(record).await?)
    }

    /// Work that may be dropped at any moment when somebody asks to stop.
    pub(crate) async fn interruptible<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !self.before_switch() {
            return work.await;
        }
        tokio::select! {
            done = work => done,
            () = self.stop.asked() => Err(Halt::Interrupted),
        }
    }

    /// Whether nothing of a new release gets traffic yet.
    pub(crate) fn before_switch(&self) -> bool {
        self.journal.unfinished().is_none_or(|open| {
            matches!(
                open.standing,
                Standing::BeforeSwitch | Standing::Restoring(_)
            )
        })
    }

    /// Ends the deployment: nothing is left to be done.
    pub(crate) async fn finish(&mut self, verdict: Verdict) -> Result<Verdict> {
        let at = self.world.clock.now();
        self.note(Record::Finished { verdict, at }).await?;
        Ok(verdict)
    }

    /// Runs a command in a container of its own to its end.
    pub(crate) async fn run_once(&mut self, spec: &ContainerSpec) -> Result<Output> {
        self.checkpoint()?;
        let container = spec.name.clone();
        self.note(Record::OneShot { container }).await?;
        let engine = &self.world.engine;
        engine.create(spec).await?;
        engine.start(&spec.name).await?;
        let code = engine.wait(&spec.name).await?;
        let mut output = engine.logs(&spec.name, 10_000).await?;
        output.code = Some(code);
        engine.remove(&spec.name).await?;
        Ok(output)
    }

    /// Stops and removes commands that nobody waits for any more.
    pub(crate) async fn remove_one_shots(&self) -> Result<()> {
        let engine = &self.world.engine;
        for container in engine.containers().await? {
            if matches!(container.role, Role::OneShot(_)) {
                engine.stop(&container.name, ONE_SHOT_GRACE).await?;
                engine.remove(&container.name).await?;
            }
        }
        Ok(())
    }

    /// Waits until a container is well; ends when it cannot become so any more.
    pub(crate) async fn wait_until_healthy(&self, name: &str) -> Result<()> {
        loop {
            self.checkpoint()?;
            if self.is_healthy_now(name).await? {
                return Ok(());
            }
            self.pause().await?;
        }
    }

    /// Whether a container is well.
    ///
    /// # Errors
    /// If it will not become so by waiting.
    pub(crate) async fn is_healthy_now(&self, name: &str) -> Result<bool> {
        let Some(container) = self.world.engine.container(name).await? else {
            return Err(Halt::new(
                "container_gone",
                format!("{name} is gone"),
                "somebody removed it; run the command again",
            ));
        };
        let ended = match container.state {
            ContainerState::Exited(code) => Some(format!("{name} ended with {code}")),
            ContainerState::Restarting => Some(format!("{name} ends again and again")),
            ContainerState::Created | ContainerState::Running => None,
        };
        if let Some(text) = ended {
            return Err(self.with_log("container_ended", &text, name).await);
        }
        if container.health == Health::Unhealthy {
            let text = format!("{name} is unhealthy");
            return Err(self.with_log("container_unhealthy", &text, name).await);
        }
        Ok(container.state == ContainerState::Running
            && matches!(container.health, Health::Healthy | Health::Unprobed))
    }

    /// Waits a moment, unless somebody asks to stop.
    pub(crate) async fn pause(&self) -> Result<()> {
        self.interruptible(async {
            sleep(GLANCE).await;
            Ok(())
        })
        .await
    }

    /// Stops a release in its own time.
    pub(crate) async fn stop_release(&self, release: &Release) -> Result<()> {
        let grace = release.container.stop_grace.unwrap_or(ONE_SHOT_GRACE);
        Ok(self.world.engine.stop(release.name(), grace).await?)
    }

    async fn with_log(&self, code: &'static str, text: &str, name: &str) -> Halt {
        let log = self.world.engine.logs(name, TAIL).await.unwrap_or_default();
        let tail = self.reporter.scrub(&log.tail(TAIL));
        let text = if tail.is_empty() {
            text.to_owned()
        } else {
            format!("{text}; the end of its log:\n{tail}")
        };
        Halt::new(
            code,
            text,
            "its log says what it misses; correct that and deploy again",
        )
    }
}

/// The problem of a command that runs once and failed.
pub(crate) fn failed_command(
    code: &'static str,
    what: &str,
    output: &Output,
    remedy: &'static str,
) -> Halt {
    let ended = output.code.unwrap_or(-1);
    Halt::Problem(Problem::new(
        code,
        format!("{what} ended with {ended}:\n{}", output.tail(TAIL)),
        remedy,
    ))
}
