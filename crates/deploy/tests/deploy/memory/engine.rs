//! The container engine.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};
use tria_deploy::{
    Clock,
    engine::{
        BuildSpec, Container, ContainerSpec, Engine, EngineError, EngineFacts, Image, ImageId,
        Output, Result, Role,
    },
    secret::SecretFile,
};

use super::{Behaviour, Cut, Inner, Memory, Running};

#[async_trait]
impl Engine for Memory {
    async fn facts(&self) -> Result<EngineFacts> {
        let now = self.now();
        Ok(self
            .gate("facts", |inner, _| EngineFacts {
                version: "20.10.24".into(),
                api: (1, 41),
                memory_bytes: 4 << 30,
                disk_free_bytes: Some(inner.disk_free_bytes),
                time: Some(now.plus(inner.clock_ahead)),
            })
            .await?)
    }

    async fn images(&self) -> Result<Vec<Image>> {
        let list = |inner: &mut Inner, _| inner.images.values().cloned().collect();
        Ok(self.gate("images", list).await?)
    }

    async fn pull(&self, reference: &str) -> Result<ImageId> {
        let id = ImageId::new(format!("sha256:{reference}"));
        Ok(self.gate("pull", |_, _| id).await?)
    }

    async fn build(&self, spec: &BuildSpec) -> Result<ImageId> {
        let tree = spec.reference.rsplit(':').next().unwrap_or_default();
        let id = ImageId::new(format!("sha256:{tree}"));
        if self.lock().behaviour(&id) == Behaviour::DoesNotBuild {
            return Err(EngineError::Refused {
                action: "build".into(),
                source: "error[E0308]: mismatched types".into(),
            });
        }
        sleep(Duration::from_secs(20)).await;
        let image = Image {
            id: id.clone(),
            references: vec![spec.reference.clone()],
            size_bytes: 50 << 20,
        };
        let built = self.gate("build", |inner, cut| {
            // Half a build leaves no image.
            if cut == Cut::After {
                inner.images.insert(id.clone(), image);
                inner.disk_free_bytes = inner.disk_free_bytes.saturating_sub(50 << 20);
            }
            id
        });
        Ok(built.await?)
    }

    async fn remove_image(&self, image: &ImageId) -> Result<()> {
        let remove = |inner: &mut Inner, _| {
            if inner.images.remove(image).is_some() {
                inner.disk_free_bytes += 50 << 20;
            }
        };
        Ok(self.gate("remove image", remove).await?)
    }

    async fn containers(&self) -> Result<Vec<Container>> {
        let list = |inner: &mut Inner, _| {
            let inner = &*inner;
            inner
                .containers
                .values()
                .map(|running| inner.seen(running))
                .collect()
        };
        Ok(self.gate("containers", list).await?)
    }

    async fn container(&self, name: &str) -> Result<Option<Container>> {
        let look = |inner: &mut Inner, _| {
            let inner = &*inner;
            inner
                .containers
                .get(name)
                .map(|running| inner.seen(running))
        };
        Ok(self.gate("container", look).await?)
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<()> {
        let create = |inner: &mut Inner, _| {
            if inner.containers.contains_key(&spec.name) {
                let what = spec.name.clone();
                return Err(EngineError::Exists { what });
            }
            let image = if spec.image.starts_with("sha256:") {
                ImageId::new(&spec.image)
            } else {
                ImageId::new(format!("sha256:{}", spec.image))
            };
            let is_built = spec.release.is_some();
            if is_built && !inner.images.contains_key(&image) {
                let what = image.to_string();
                return Err(EngineError::Missing { what });
            }
            let running = Running {
                spec: spec.clone(),
                image,
                started: None,
                ended: None,
                stdout: String::new(),
                stderr: String::new(),
                starts: 0,
            };
            inner.containers.insert(spec.name.clone(), running);
            Ok(())
        };
        self.gate(&format!("create {}", spec.name), create).await?
    }

    async fn start(&self, name: &str) -> Result<()> {
        let start = |inner: &mut Inner, _| {
            let Some(mut running) = inner.containers.remove(name) else {
                let what = name.to_owned();
                return Err(EngineError::Missing { what });
            };
            if running.started.is_none() || running.ended.is_some() {
                running.started = Some(Instant::now());
                running.ended = None;
                running.starts += 1;
                inner.run(&mut running);
            }
            inner.containers.insert(name.to_owned(), running);
            Ok(())
        };
        self.gate(&format!("start {name}"), start).await?
    }

    async fn stop(&self, name: &str, _grace: Duration) -> Result<()> {
        let stop = |inner: &mut Inner, _| {
            if let Some(running) = inner.containers.get_mut(name)
                && running.started.is_some()
                && running.ended.is_none()
            {
                running.ended = Some(0);
            }
        };
        Ok(self.gate(&format!("stop {name}"), stop).await?)
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let remove = |inner: &mut Inner, _| {
            let runs = inner
                .containers
                .get(name)
                .is_some_and(|running| running.started.is_some() && running.ended.is_none());
            if runs {
                return Err(EngineError::Refused {
                    action: format!("remove {name}"),
                    source: "it runs".into(),
                });
            }
            inner.containers.remove(name);
            Ok(())
        };
        self.gate(&format!("remove {name}"), remove).await?
    }

    async fn wait(&self, name: &str) -> Result<i64> {
        sleep(Duration::from_secs(1)).await;
        let look = |inner: &mut Inner, _| {
            let running = inner.containers.get(name);
            running.and_then(|running| running.ended)
        };
        let ended = self.gate(&format!("wait {name}"), look).await?;
        ended.ok_or_else(|| EngineError::Missing {
            what: name.to_owned(),
        })
    }

    async fn logs(&self, name: &str, _lines: usize) -> Result<Output> {
        let read = |inner: &mut Inner, _| {
            let running = inner.containers.get(name);
            running.map(|running| Output {
                code: running.ended,
                stdout: running.stdout.clone(),
                stderr: running.stderr.clone(),
            })
        };
        Ok(self.gate("logs", read).await?.unwrap_or_default())
    }

    async fn exec(&self, _name: &str, _command: &[String]) -> Result<Output> {
        Ok(self.gate("exec", |_, _| Output::default()).await?)
    }

    async fn ensure_network(&self, name: &str, _internal: bool) -> Result<()> {
        let make = |inner: &mut Inner, _| inner.networks.insert(name.to_owned());
        self.gate("ensure network", make).await?;
        Ok(())
    }

    async fn ensure_volume(&self, name: &str) -> Result<()> {
        let make = |inner: &mut Inner, _| {
            inner.volumes.entry(name.to_owned()).or_default();
        };
        Ok(self.gate("ensure volume", make).await?)
    }

    async fn volumes(&self) -> Result<Vec<String>> {
        let list = |inner: &mut Inner, _| inner.volumes.keys().cloned().collect();
        Ok(self.gate("volumes", list).await?)
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let remove = |inner: &mut Inner, _| {
            let used = inner.containers.values().any(|running| {
                let mounts = format!("{:?}", running.spec.mounts);
                mounts.contains(&format!("{name:?}"))
            });
            if used {
                return Err(EngineError::Refused {
                    action: format!("remove {name}"),
                    source: "it is in use".into(),
                });
            }
            inner.volumes.remove(name);
            Ok(())
        };
        self.gate("remove volume", remove).await?
    }

    async fn write_files(&self, volume: &str, _image: &str, files: &[SecretFile]) -> Result<()> {
        let write = |inner: &mut Inner, cut| {
            let count = if cut == Cut::Half {
                files.len() / 2
            } else {
                files.len()
            };
            let Some(volume) = inner.volumes.get_mut(volume) else {
                let what = volume.to_owned();
                return Err(EngineError::Missing { what });
            };
            for file in &files[..count] {
                let content = file.content.expose_secret().to_owned();
                volume.insert(file.name.clone(), content);
            }
            Ok(())
        };
        self.gate("write files", write).await?
    }
}

// === impl Inner ===

impl Inner {
    fn seen(&self, running: &Running) -> Container {
        Container {
            name: running.spec.name.clone(),
            role: running.spec.role,
            release: running.spec.release,
            image: running.image.clone(),
            state: self.state_of(running),
            health: self.health_of(running),
            restarts: 0,
            labels: running.spec.labels.clone(),
        }
    }

    fn run(&mut self, running: &mut Running) {
        match running.spec.role {
            Role::OneShot(purpose) => self.run_to_its_end(purpose, running),
            Role::Server => {
                running.stdout = "TRIA AIBPO PRODUCTION STARTUP".into();
                let secrets: Vec<String> = self
                    .volumes
                    .get(&format!(
                        "tria-secrets-{}",
                        running.spec.release.unwrap_or_default()
                    ))
                    .into_iter()
                    .flat_map(|files| files.values().cloned())
                    .collect();
                // A program that prints its secrets: what is told of it must not.
                running.stderr = format!("cannot log in with {}", secrets.join(" "));
            }
            Role::Backing => {}
        }
    }
}
