//! What tests say: deploy this tree, end the process there, see that all is as it should be.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use serde_json::json;
use tria_deploy::{
    Desired, Environment, Ground, Options, Outcome, Stop,
    definition::Definition,
    deploy,
    engine::{ContainerState, Role},
    event::{Observer, Stamped},
    journal::Journal,
    migration::Migration,
    rollback,
    state::State,
};

use crate::memory::{Memory, Running};

/// What no log, event or document may hold.
pub(crate) const SENTINEL: &str = "sentinel-secret-7f3a";

/// Keeps what it is told.
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) events: Mutex<Vec<Stamped>>,
}

impl Observer for Collector {
    fn event(&self, event: &Stamped) {
        self.events.lock().unwrap().push(event.clone());
    }
}

impl Collector {
    pub(crate) fn text(&self) -> String {
        let events = self.events.lock().unwrap();
        let lines = events
            .iter()
            .map(|stamped| tria_deploy::text(&stamped.event));
        lines.collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn definition(tax_rate: &str) -> Definition {
    let document = json!({
        "name": "tria",
        "networks": {"back": {"name": "tria_back"}},
        "volumes": {"pg": {"name": "tria_pg"}, "redis": {"name": "tria_redis"}},
        "secrets": {
            "database_url": {"environment": "DATABASE_URL"},
            "postgres_password": {"environment": "POSTGRES_PASSWORD"},
        },
        "services": {
            "caddy": {
                "image": "caddy:2", "networks": {"back": null},
                "ports": [{"target": 80, "published": "80"}],
                "volumes": [{
                    "type": "bind", "target": "/etc/caddy", "read_only": true,
                    "source": concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/caddy"),
                }],
            },
            "postgres": {
                "image": "postgres:17", "networks": {"back": null},
                "environment": {
                    "POSTGRES_USER": "tria", "POSTGRES_DB": "tria",
                    "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
                },
                "secrets": [{"source": "postgres_password"}],
                "volumes": [{"type": "volume", "source": "pg", "target": "/data"}],
            },
            "redis": {
                "image": "redis:7", "networks": {"back": null},
                "volumes": [{"type": "volume", "source": "redis", "target": "/data"}],
            },
            "tria-server": {
                "image": "tria-server", "networks": {"back": null},
                "environment": {
                    "HOST": "0.0.0.0", "TAX_RATE": tax_rate,
                    "DATABASE_URL_FILE": "/run/secrets/database_url",
                },
                "secrets": [{"source": "database_url"}],
                "stop_grace_period": "30s",
            },
        },
    });
    Definition::from_json(&document.to_string()).unwrap()
}

/// A tree with its first migrations.
pub(crate) fn desired(tree: &str) -> Desired {
    let environment = [
        (
            "DATABASE_URL",
            format!("postgres://tria:{SENTINEL}@postgres/tria"),
        ),
        ("POSTGRES_PASSWORD", SENTINEL.to_owned()),
    ];
    Desired {
        commit: format!("commit-{tree}"),
        tree: tree.into(),
        uncommitted: Vec::new(),
        migrations: migrations(&["V1__expand_a.sql"]),
        definition: definition("0.09"),
        environment: environment.into_iter().collect::<Environment>(),
        context: "/none".into(),
        dockerfile: "Dockerfile".into(),
        domain: None,
    }
}

pub(crate) fn migrations(files: &[&str]) -> Vec<Migration> {
    let read = |file: &&str| Migration::from_file_name(file).unwrap();
    files.iter().map(read).collect()
}

/// Deploys to the end of the process: none if it was killed.
pub(crate) async fn try_deploy(memory: &Memory, desired: &Desired) -> Option<Outcome> {
    deploy_with(
        memory,
        desired,
        &Options::default(),
        &Stop::new(),
        &Collector::default(),
    )
    .await
}

pub(crate) async fn deploy_with(
    memory: &Memory,
    desired: &Desired,
    options: &Options,
    stop: &Stop,
    collector: &Collector,
) -> Option<Outcome> {
    let world = memory.world();
    let ground = Ground {
        world: &world,
        options,
        observers: &[collector],
        stop,
    };
    until_killed(memory, deploy(ground, desired)).await
}

pub(crate) async fn try_rollback(
    memory: &Memory,
    desired: &Desired,
    with_restore: bool,
) -> Option<Outcome> {
    let world = memory.world();
    let ground = Ground {
        world: &world,
        options: &Options::default(),
        observers: &[],
        stop: &Stop::new(),
    };
    until_killed(memory, rollback(ground, desired, with_restore)).await
}

async fn until_killed<T>(memory: &Memory, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = memory.fuse().death() => None,
        done = work => Some(done),
    }
}

/// A world where `trees` were deployed, one after the other, by processes that have ended.
pub(crate) async fn deployed(trees: &[&str]) -> Memory {
    let mut memory = Memory::new();
    for tree in trees {
        let outcome = try_deploy(&memory, &desired(tree)).await.unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        memory.lock().must_serve = true;
        memory = memory.next_process();
        // Names of backups are seconds.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    memory
}

pub(crate) async fn state(memory: &Memory) -> State {
    State::read(&memory.another_process()).await.unwrap()
}

/// The container that gets the traffic.
pub(crate) fn serving(memory: &Memory) -> Running {
    let inner = memory.lock();
    let target = inner.target.clone().expect("somebody gets the traffic");
    inner.containers[&target].clone()
}

/// What must be true after every deployment that ended by itself, however it ended.
pub(crate) async fn assert_at_rest(memory: &Memory, told: &str) {
    let state = state(memory).await;
    let observer = memory.another_process();
    let journal = Journal::open(&observer).await.unwrap();
    assert_eq!(journal.unfinished(), None, "{told}");
    let inner = memory.lock();
    assert_eq!(inner.violations, [""; 0], "{told}");
    assert!(!inner.documents.contains_key("lease.json"), "{told}");
    let kept: BTreeSet<u64> = state.releases().map(|release| release.number).collect();
    let mut running = Vec::new();
    for container in inner.containers.values() {
        match container.spec.role {
            Role::Server => {
                let number = container.spec.release.unwrap();
                assert!(
                    kept.contains(&number),
                    "{told}: {} is an orphan",
                    container.spec.name
                );
                if inner.state_of(container) == ContainerState::Running {
                    running.push(container.spec.name.clone());
                }
            }
            Role::OneShot(_) => panic!("{told}: {} was left", container.spec.name),
            Role::Backing => {}
        }
    }
    let current = state
        .current
        .as_ref()
        .map(|release| release.name().to_owned());
    assert_eq!(inner.target, current, "{told}");
    assert_eq!(running, Vec::from_iter(current), "{told}");
    for volume in inner.volumes.keys() {
        let number = volume
            .strip_prefix("tria-secrets-")
            .and_then(|rest| rest.parse().ok());
        assert!(
            number.is_none_or(|number| kept.contains(&number)),
            "{told}: {volume}"
        );
    }
    if state.current.is_some() {
        assert!(inner.is_served(), "{told}");
    }
}
