//! What a deployment needs of a container engine.
//!
//! Every operation may be done twice with the same end: a deployment that was killed does not know
//! how far the last one came.

mod container;
mod docker;
mod error;
mod image;

use std::time::Duration;

use async_trait::async_trait;

pub use self::{
    container::{
        Container, ContainerSpec, ContainerState, Health, HealthProbe, Limits, Logging, Mount,
        Port, Purpose, Role,
    },
    docker::DockerEngine,
    error::{BoxError, EngineError},
    image::{BuildSpec, Image, ImageId},
};
use crate::{clock::Timestamp, secret::SecretFile};

/// The result of an operation of the engine.
pub type Result<T> = std::result::Result<T, EngineError>;

/// A container engine, seen by one project: whatever else runs on it stays out of sight.
#[async_trait]
pub trait Engine: Send + Sync {
    /// What the engine is and what it has left.
    async fn facts(&self) -> Result<EngineFacts>;

    /// The images that belong to the project.
    async fn images(&self) -> Result<Vec<Image>>;

    /// Makes sure that an image of that name is there.
    async fn pull(&self, reference: &str) -> Result<ImageId>;

    /// Builds an image. Dropping the future ends the build.
    async fn build(&self, spec: &BuildSpec) -> Result<ImageId>;

    /// Removes an image; one that is gone already is removed, too.
    async fn remove_image(&self, image: &ImageId) -> Result<()>;

    /// All containers of the project, also those that do not run.
    async fn containers(&self) -> Result<Vec<Container>>;

    /// One container of the project.
    async fn container(&self, name: &str) -> Result<Option<Container>>;

    /// Creates a container without starting it.
    ///
    /// # Errors
    /// [`EngineError::Exists`] if the name is taken.
    async fn create(&self, spec: &ContainerSpec) -> Result<()>;

    /// Starts a container; one that runs is left alone.
    async fn start(&self, name: &str) -> Result<()>;

    /// Asks a container to stop and kills it after the grace; one that does not run, or is gone, is
    /// left alone.
    async fn stop(&self, name: &str, grace: Duration) -> Result<()>;

    /// Removes a container that does not run; one that is gone is left alone.
    async fn remove(&self, name: &str) -> Result<()>;

    /// Waits until a container has ended, and gives its exit code.
    async fn wait(&self, name: &str) -> Result<i64>;

    /// The last lines that a container wrote.
    async fn logs(&self, name: &str, lines: usize) -> Result<Output>;

    /// Runs a command in a running container.
    async fn exec(&self, name: &str, command: &[String]) -> Result<Output>;

    /// Makes sure that a network is there; an internal one has no way out.
    async fn ensure_network(&self, name: &str, internal: bool) -> Result<()>;

    /// Makes sure that a volume is there.
    async fn ensure_volume(&self, name: &str) -> Result<()>;

    /// The volumes of the project.
    async fn volumes(&self) -> Result<Vec<String>>;

    /// Removes a volume; one that is gone is left alone.
    async fn remove_volume(&self, name: &str) -> Result<()>;

    /// Writes files into a volume, by way of a container of `image` that is never started.
    async fn write_files(&self, volume: &str, image: &str, files: &[SecretFile]) -> Result<()>;
}

/// What an engine says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// Its version.
    pub version: String,
    /// The newest version of its API.
    pub api: (u32, u32),
    /// The memory of its machine.
    pub memory_bytes: u64,
    /// What is free where it keeps its data, if that can be seen from here.
    pub disk_free_bytes: Option<u64>,
    /// What time it believes it is.
    pub time: Option<Timestamp>,
}

/// What a program wrote, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; none where it may still run.
    pub code: Option<i64>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

// === impl Output ===

impl Output {
    /// Whether it ended with 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// The last lines of both, for people.
    pub fn tail(&self, lines: usize) -> String {
        let all: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}
