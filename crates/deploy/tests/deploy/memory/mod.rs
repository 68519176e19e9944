//! A world in memory: an engine, a proxy, a store and what runs on them.
//!
//! Each call from outside passes one gate, where a test can end the process, make the call fail,
//! or ask to stop; and where it is seen whether somebody is still served.

mod engine;
mod fuse;
mod one_shots;
mod others;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;
use tria_deploy::{
    Stop, World,
    engine::{ContainerSpec, ContainerState, Health, Image, ImageId, Role},
    processes::Owner,
};

pub(crate) use self::fuse::{Cut, Fault, Fuse, Trip};

/// How long a good release takes to become healthy.
pub(crate) const WARM_UP: Duration = Duration::from_secs(2);

/// The world, which outlives every process that deploys to it.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    inner: Arc<Mutex<Inner>>,
    fuse: Arc<Fuse>,
    pid: u32,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) containers: BTreeMap<String, Running>,
    pub(crate) images: BTreeMap<ImageId, Image>,
    pub(crate) volumes: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) networks: BTreeSet<String>,
    pub(crate) target: Option<String>,
    pub(crate) documents: BTreeMap<String, Vec<u8>>,
    /// The live database: rows by table.
    pub(crate) rows: BTreeMap<String, u64>,
    /// Backups by the name of their file.
    pub(crate) dumps: BTreeMap<String, BTreeMap<String, u64>>,
    /// How releases behave, by the tree they were built from.
    pub(crate) behaviours: BTreeMap<String, Behaviour>,
    pub(crate) disk_free_bytes: u64,
    pub(crate) clock_ahead: Duration,
    pub(crate) taken_ports: BTreeSet<u16>,
    pub(crate) in_flight: u64,
    pub(crate) rules_broken: Vec<String>,
    /// A dump that misses rows, as a broken disk would make it.
    pub(crate) dump_loses_rows: bool,
    pub(crate) dump_is_empty: bool,
    dead: BTreeSet<u32>,
    /// From the first release on somebody must always be served, unless a restore takes place.
    pub(crate) must_serve: bool,
    pub(crate) violations: Vec<String>,
    epoch: Option<Instant>,
    after_call: Option<Awaited>,
}

/// A call, and what happens in the world right after it.
type Awaited = (&'static str, fn(&mut Inner));

/// A container, and since when it is as it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Running {
    pub(crate) spec: ContainerSpec,
    pub(crate) image: ImageId,
    pub(crate) started: Option<Instant>,
    pub(crate) ended: Option<i64>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How often it was started.
    pub(crate) starts: u32,
}

/// How releases built from a tree behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behaviour {
    #[default]
    Good,
    DoesNotBuild,
    MigrationFails,
    Crashes,
    NeverHealthy,
    HangsStarting,
    FailsTests,
    FailsBehindTheDoor,
}

// === impl Memory ===

impl Memory {
    pub(crate) fn new() -> Self {
        let memory = Self::default();
        {
            let mut inner = memory.lock();
            inner.disk_free_bytes = 50 << 30;
            inner.rows =
                BTreeMap::from([("public.orders".into(), 3), ("public.outlets".into(), 2)]);
            inner.epoch = Some(Instant::now());
        }
        memory
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// The same world, seen by the next process; the one before is dead.
    pub(crate) fn next_process(&self) -> Self {
        self.lock().dead.insert(self.pid);
        self.another_process()
    }

    /// The same world, seen by another process at the same time.
    pub(crate) fn another_process(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            fuse: Arc::default(),
            pid: self.pid + 1,
        }
    }

    pub(crate) fn world(&self) -> World {
        let this = || Arc::new(self.clone());
        World {
            engine: this(),
            proxy: this(),
            probe: this(),
            judge: this(),
            store: this(),
            clock: this(),
            processes: this(),
        }
    }

    /// One call from outside.
    async fn gate<T>(
        &self,
        call: &str,
        work: impl FnOnce(&mut Inner, Cut) -> T,
    ) -> Result<T, Fault> {
        // So that two at once really alternate.
        tokio::task::yield_now().await;
        let trip = self.fuse.next(call);
        match trip {
            Trip::Kill(Cut::Before) => self.fuse.die().await,
            Trip::Fail(Cut::Before) => return Err(Fault),
            _ => {}
        }
        let cut = match trip {
            Trip::Kill(cut) | Trip::Fail(cut) => cut,
            Trip::None => Cut::After,
        };
        let done = {
            let mut inner = self.lock();
            let done = work(&mut inner, cut);
            if let Some((_, happens)) = inner.after_call.take_if(|(awaited, _)| *awaited == call) {
                happens(&mut inner);
            }
            inner.see_who_is_served(call);
            done
        };
        match trip {
            Trip::Kill(_) => self.fuse.die().await,
            Trip::Fail(_) => Err(Fault),
            Trip::None => Ok(done),
        }
    }

    fn me(&self) -> Owner {
        Owner {
            host: "here".into(),
            realm: "this".into(),
            pid: self.pid,
            started: u64::from(self.pid) + 1,
            nonce: 0,
        }
    }

    /// What happens in the world as soon as that call was made.
    pub(crate) fn after_call(&self, call: &'static str, happens: fn(&mut Inner)) {
        self.lock().after_call = Some((call, happens));
    }

    pub(crate) fn ask_to_stop_at(&self, call: usize, stop: &Stop) {
        self.fuse.ask_at(call, stop.clone());
    }
}

// === impl Inner ===

impl Inner {
    pub(crate) fn behaviour(&self, image: &ImageId) -> Behaviour {
        let tree = image.as_str().trim_start_matches("sha256:");
        self.behaviours.get(tree).copied().unwrap_or_default()
    }

    pub(crate) fn is_served(&self) -> bool {
        self.target
            .as_ref()
            .and_then(|target| self.containers.get(target))
            .is_some_and(|container| self.is_healthy(container))
    }

    pub(crate) fn is_healthy(&self, container: &Running) -> bool {
        self.state_of(container) == ContainerState::Running
            && self.health_of(container) == Health::Healthy
    }

    pub(crate) fn state_of(&self, container: &Running) -> ContainerState {
        if let Some(code) = container.ended {
            return ContainerState::Exited(code);
        }
        let Some(started) = container.started else {
            return ContainerState::Created;
        };
        let crashes = self.behaviour(&container.image) == Behaviour::Crashes;
        if crashes && container.spec.role == Role::Server && started.elapsed() >= WARM_UP / 2 {
            return ContainerState::Restarting;
        }
        ContainerState::Running
    }

    pub(crate) fn health_of(&self, container: &Running) -> Health {
        let Some(started) = container.started.filter(|_| container.ended.is_none()) else {
            return Health::Starting;
        };
        match self.behaviour(&container.image) {
            _ if started.elapsed() < WARM_UP => Health::Starting,
            Behaviour::NeverHealthy => Health::Unhealthy,
            Behaviour::HangsStarting | Behaviour::Crashes => Health::Starting,
            _ => Health::Healthy,
        }
    }

    fn see_who_is_served(&mut self, call: &str) {
        if self.must_serve && !self.is_served() {
            self.violations
                .push(format!("nobody is served after {call}"));
        }
    }
}
