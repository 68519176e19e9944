//! The engine there: as one here, except that what it says when the connection ends is of no use.

use std::{future::Future, time::Duration};

use async_trait::async_trait;

use super::{Remote, RemoteError};
use crate::{
    engine::{
        BuildSpec, Container, ContainerSpec, DockerEngine, Engine, EngineError, EngineFacts, Image,
        ImageId, Output, Result,
    },
    secret::SecretFile,
};

/// A Docker engine on another machine.
#[derive(Clone, Debug)]
pub struct RemoteEngine {
    engine: DockerEngine,
    remote: Remote,
}

// === impl RemoteEngine ===

impl RemoteEngine {
    /// Connects to the engine of that machine.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn connect(remote: &Remote, project: &str) -> Result<Self> {
        let socket = remote.engine_socket().display().to_string();
        let remote = remote.clone();
        match DockerEngine::connect(&socket, project).await {
            Ok(engine) => Ok(Self { engine, remote }),
            Err(error) => Err(explained(&remote, error).await),
        }
    }

    /// The engine by itself.
    pub fn docker(&self) -> &DockerEngine {
        &self.engine
    }

    /// Whatever fails when the connection is over fails because of that.
    async fn told<T>(&self, done: impl Future<Output = Result<T>> + Send) -> Result<T> {
        match done.await {
            Ok(done) => Ok(done),
            Err(error) => Err(explained(&self.remote, error).await),
        }
    }
}

async fn explained(remote: &Remote, error: EngineError) -> EngineError {
    match remote.loss().await {
        Some(loss) => EngineError::Unreachable(Box::new(loss)),
        None => error,
    }
}

/// What to do about an engine that cannot be reached because of the way to it.
pub(crate) fn remedy_of(error: &EngineError) -> Option<&'static str> {
    let EngineError::Unreachable(source) = error else {
        return None;
    };
    source
        .downcast_ref::<RemoteError>()
        .map(RemoteError::remedy)
}

#[async_trait]
impl Engine for RemoteEngine {
    async fn facts(&self) -> Result<EngineFacts> {
        let mut facts = self.told(self.engine.facts()).await?;
        // What was seen is a folder of ours that has the same name.
        facts.disk_free_bytes = match self.told(self.engine.data_folder()).await? {
            Some(folder) => self.remote.free_bytes(&folder).await,
            None => None,
        };
        Ok(facts)
    }

    async fn images(&self) -> Result<Vec<Image>> {
        self.told(self.engine.images()).await
    }

    async fn pull(&self, reference: &str) -> Result<ImageId> {
        self.told(self.engine.pull(reference)).await
    }

    async fn build(&self, spec: &BuildSpec) -> Result<ImageId> {
        self.told(self.engine.build(spec)).await
    }

    async fn remove_image(&self, image: &ImageId) -> Result<()> {
        self.told(self.engine.remove_image(image)).await
    }

    async fn containers(&self) -> Result<Vec<Container>> {
        self.told(self.engine.containers()).await
    }

    async fn container(&self, name: &str) -> Result<Option<Container>> {
        self.told(self.engine.container(name)).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<()> {
        self.told(self.engine.create(spec)).await
    }

    async fn start(&self, name: &str) -> Result<()> {
        self.told(self.engine.start(name)).await
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<()> {
        self.told(self.engine.stop(name, grace)).await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        self.told(self.engine.remove(name)).await
    }

    async fn wait(&self, name: &str) -> Result<i64> {
        self.told(self.engine.wait(name)).await
    }

    async fn logs(&self, name: &str, lines: usize) -> Result<Output> {
        self.told(self.engine.logs(name, lines)).await
    }

    async fn exec(&self, name: &str, command: &[String]) -> Result<Output> {
        self.told(self.engine.exec(name, command)).await
    }

    async fn ensure_network(&self, name: &str, internal: bool) -> Result<()> {
        self.told(self.engine.ensure_network(name, internal)).await
    }

    async fn ensure_volume(&self, name: &str) -> Result<()> {
        self.told(self.engine.ensure_volume(name)).await
    }

    async fn volumes(&self) -> Result<Vec<String>> {
        self.told(self.engine.volumes()).await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        self.told(self.engine.remove_volume(name)).await
    }

    async fn write_files(&self, volume: &str, image: &str, files: &[SecretFile]) -> Result<()> {
        self.told(self.engine.write_files(volume, image, files))
            .await
    }
}
