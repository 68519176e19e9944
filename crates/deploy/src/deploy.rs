//! A deployment, from the plan to the last word.

use tokio::time::{Instant, timeout};

use crate::{
    command::Ground,
    definition::SERVER,
    desired::Desired,
    event::{Event, millis},
    fingerprint::Fingerprint,
    halt::{Halt, Result},
    journal::{Journal, Kind, Record, Verdict},
    outcome::{Outcome, Problem},
    phase::Phase,
    phases::{self, Work},
    plan::{Observed, Plan},
    session::Session,
    state::{State, fingerprint_key},
    world::World,
};

/// Deploys what is wanted. Whatever happens, the release that serves goes on serving until
/// another one has proven itself.
pub async fn deploy(ground: Ground<'_>, desired: &Desired) -> Outcome {
    let project = desired.definition.name.as_str();
    ground
        .run(project, desired.scrubber(), async |session| {
            session.deploy(desired).await
        })
        .await
}

/// What a deployment would do. Nothing is changed, and no lease is taken.
///
/// # Errors
/// If the engine or the state cannot be read.
pub async fn plan(world: &World, desired: &Desired) -> std::result::Result<Plan, Problem> {
    let look = async {
        let store = &*world.store;
        let state = State::read(store).await?;
        let unfinished = Journal::open(store).await?.unfinished().is_some();
        let fingerprint = fingerprint(world, desired).await?;
        let observed = observe(world, unfinished).await?;
        Result::Ok(Plan::make(desired, &fingerprint, &state, &observed))
    };
    look.await.map_err(|halt: Halt| halt.problem())
}

async fn observe(world: &World, unfinished: bool) -> Result<Observed> {
    Ok(Observed {
        containers: world.engine.containers().await?,
        // One that does not answer is to be seen to; that is what a deployment does.
        target: world.proxy.target().await.unwrap_or_default(),
        unfinished,
    })
}

async fn fingerprint(world: &World, desired: &Desired) -> Result<Fingerprint> {
    let key = fingerprint_key(&*world.store).await?;
    let definition = &desired.definition;
    let environment = definition.seen_environment(SERVER, &desired.environment)?;
    Ok(key.fingerprint(&desired.tree, &environment, definition.server()?))
}

// === impl Session ===

impl Session<'_> {
    async fn deploy(&mut self, desired: &Desired) -> Outcome {
        match self.begin_deploy(desired).await {
            Err(halt) => halt.before_phases(),
            Ok(None) => {
                // What an earlier one left over, if anything.
                if let Err(halt) = self.sweep().await {
                    self.reporter.warn(halt.problem().text);
                }
                Outcome::Unchanged
            }
            Ok(Some(begun)) => self.run_phases(desired, &begun).await,
        }
    }

    async fn begin_deploy(&mut self, desired: &Desired) -> Result<Option<Begun>> {
        let store = &*self.world.store;
        let fingerprint = fingerprint(self.world, desired).await?;
        let observed = observe(self.world, false).await?;
        let plan = Plan::make(desired, &fingerprint, &self.state, &observed);
        self.reporter.tell(Event::Planned { plan: plan.clone() });
        if plan.is_unchanged() {
            return Ok(None);
        }
        let number = self.state.last_number + 1;
        self.state.last_number = number;
        self.state.write(store).await?;
        let from = self.state.current.clone().map(Box::new);
        let at = self.world.clock.now();
        self.begin(Record::Begun {
            kind: Kind::Deploy,
            number,
            from,
            at,
        })
        .await?;
        Ok(Some(Begun {
            number,
            plan,
            fingerprint,
        }))
    }

    async fn run_phases(&mut self, desired: &Desired, begun: &Begun) -> Outcome {
        let mut work = Work {
            desired,
            plan: &begun.plan,
            fingerprint: &begun.fingerprint,
            number: begun.number,
            backup: None,
            image: None,
            candidate: None,
        };
        for phase in Phase::ALL {
            let deadline = self.options.deadlines.of(phase);
            self.reporter.tell(Event::PhaseStarted {
                phase,
                deadline_ms: millis(deadline),
            });
            let started = Instant::now();
            let ended = timeout(deadline, phases::run(phase, self, &mut work)).await;
            if let Err(halt) = ended.unwrap_or(Err(Halt::Deadline)) {
                return self.conclude(Some(phase), halt).await;
            }
            self.reporter.tell(Event::PhaseFinished {
                phase,
                elapsed_ms: millis(started.elapsed()),
            });
        }
        match self.finish(Verdict::Done).await {
            Ok(_) => Outcome::Done {
                release: Some(begun.number),
            },
            Err(halt) => self.conclude(Some(Phase::Diagnostics), halt).await,
        }
    }
}

struct Begun {
    number: u64,
    plan: Plan,
    fingerprint: Fingerprint,
}
