//! Everything but the engine.

use std::io;

use async_trait::async_trait;
use tokio::time::Instant;
use tria_deploy::{
    Clock, Environment, Timestamp,
    engine::EngineError,
    judge::Judge,
    probe::{Probe, StartupPhase, StartupReport, Target, TestResult},
    processes::{Owner, Processes},
    proxy::Proxy,
    store::{Store, StoreError},
};

use super::{Behaviour, Cut, Fault, Inner, Memory, WARM_UP};

#[async_trait]
impl Proxy for Memory {
    async fn target(&self) -> Result<Option<String>, EngineError> {
        Ok(self
            .gate("proxy target", |inner, _| inner.target.clone())
            .await?)
    }

    async fn point_to(&self, container: &str) -> Result<(), EngineError> {
        let point = |inner: &mut Inner, _| {
            if !inner.containers.contains_key(container) {
                let what = container.to_owned();
                return Err(EngineError::Missing { what });
            }
            inner.target = Some(container.to_owned());
            Ok(())
        };
        self.gate(&format!("point to {container}"), point).await?
    }
}

#[async_trait]
impl Probe for Memory {
    async fn startup(&self, container: &str) -> Option<StartupReport> {
        let look = |inner: &mut Inner, _| {
            let running = inner.containers.get(container)?;
            let started = running.started?;
            let complete = started.elapsed() >= WARM_UP;
            let hangs = inner.behaviour(&running.image) == Behaviour::HangsStarting;
            Some(StartupReport {
                complete: complete && !hangs,
                phases: vec![StartupPhase {
                    title: "Database Initialization".into(),
                    passed: (!hangs).then_some(complete),
                    text: "Connected to PostgreSQL 17.1".into(),
                }],
            })
        };
        self.gate("startup report", look).await.ok().flatten()
    }

    async fn integration(&self, whom: &Target) -> Vec<TestResult> {
        let test = |inner: &mut Inner, _| {
            let inner = &*inner;
            let (name, behind_the_door) = match whom {
                Target::Release(name) => (name, false),
                Target::FrontDoor(name) => (name, true),
            };
            let reached = !behind_the_door || inner.target.as_ref() == Some(name);
            let running = inner.containers.get(name);
            let well = running.is_some_and(|running| {
                inner.is_healthy(running)
                    && match inner.behaviour(&running.image) {
                        Behaviour::FailsTests => false,
                        Behaviour::FailsBehindTheDoor => !behind_the_door,
                        _ => true,
                    }
            });
            let failure = (!reached || !well).then(|| "answered 500".to_owned());
            TestResult {
                name: "chat".into(),
                failure,
            }
        };
        let tested = self.gate(&format!("test {whom:?}"), test).await;
        tested.into_iter().collect()
    }

    async fn in_flight(&self, _container: &str) -> Option<u64> {
        self.gate("in flight", |inner, _| inner.in_flight)
            .await
            .ok()
    }

    async fn port_is_free(&self, port: u16) -> bool {
        let look = |inner: &mut Inner, _| !inner.taken_ports.contains(&port);
        self.gate("port", look).await.unwrap_or(false)
    }

    async fn resolves(&self, host: &str) -> bool {
        host.ends_with(".example.org")
    }
}

#[async_trait]
impl Judge for Memory {
    async fn violations(&self, _environment: &Environment) -> Result<Vec<String>, String> {
        let judge = |inner: &mut Inner, _| inner.rules_broken.clone();
        self.gate("judge", judge)
            .await
            .map_err(|Fault| "it was made to fail".into())
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = |inner: &mut Inner, _| inner.documents.get(name).cloned();
        self.gate("store read", read)
            .await
            .map_err(|Fault| failed(name))
    }

    async fn write(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let write = |inner: &mut Inner, cut| {
            // All of it or nothing.
            if cut == Cut::After {
                inner.documents.insert(name.to_owned(), content.to_vec());
            }
        };
        self.gate(&format!("store write {name}"), write)
            .await
            .map_err(|Fault| failed(name))
    }

    async fn append(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let append = |inner: &mut Inner, cut| {
            let length = if cut == Cut::Half {
                content.len() / 2
            } else {
                content.len()
            };
            let document = inner.documents.entry(name.to_owned()).or_default();
            document.extend(&content[..length]);
        };
        self.gate(&format!("store append {name}"), append)
            .await
            .map_err(|Fault| failed(name))
    }

    async fn swap(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let swap = |inner: &mut Inner, cut| {
            if inner.documents.get(name).map(Vec::as_slice) != expected {
                return false;
            }
            if cut == Cut::After {
                match new {
                    Some(new) => drop(inner.documents.insert(name.to_owned(), new.to_vec())),
                    None => drop(inner.documents.remove(name)),
                }
            }
            true
        };
        self.gate(&format!("store swap {name}"), swap)
            .await
            .map_err(|Fault| failed(name))
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let remove = |inner: &mut Inner, _| drop(inner.documents.remove(name));
        self.gate("store remove", remove)
            .await
            .map_err(|Fault| failed(name))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let list = |inner: &mut Inner, _| {
            let names = inner.documents.keys();
            names
                .filter(|name| name.starts_with(prefix))
                .cloned()
                .collect()
        };
        self.gate("store list", list)
            .await
            .map_err(|Fault| failed(prefix))
    }
}

impl Clock for Memory {
    fn now(&self) -> Timestamp {
        let epoch = self.lock().epoch;
        let since = epoch.map_or_else(Default::default, |epoch| Instant::now() - epoch);
        Timestamp::from_millis(1_790_000_000_000).plus(since)
    }
}

impl Processes for Memory {
    fn me(&self) -> Owner {
        Self::me(self)
    }

    fn is_gone(&self, owner: &Owner) -> bool {
        self.lock().dead.contains(&owner.pid)
    }
}

fn failed(name: &str) -> StoreError {
    StoreError {
        action: "write",
        name: name.to_owned(),
        source: io::Error::other("it was made to fail"),
    }
}
