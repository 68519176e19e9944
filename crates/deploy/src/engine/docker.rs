//! Docker, over its socket; images are built by its own command, which knows `BuildKit`.

mod build;
mod files;
mod seen;
mod wanted;

use std::{collections::HashMap, net::IpAddr, time::Duration};

use async_trait::async_trait;
use bollard::{
    API_DEFAULT_VERSION, Docker,
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecResults},
    models::{NetworkConnectRequest, NetworkCreateRequest, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptions, CreateImageOptions, InspectContainerOptions, InspectNetworkOptions,
        ListContainersOptions, ListImagesOptions, ListVolumesOptions, LogsOptions,
        RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions, StopContainerOptions,
        WaitContainerOptions,
    },
};
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::{
    BuildSpec, Container, ContainerSpec, Engine, EngineError, EngineFacts, Image, ImageId, Output,
    Result,
};
use crate::secret::SecretFile;

/// A Docker engine, seen by one project.
#[derive(Clone, Debug)]
pub struct DockerEngine {
    docker: Docker,
    socket: String,
    project: String,
}

/// The label that tells what belongs to the project.
pub(super) const PROJECT: &str = "tria.project";
/// The label with a container's role.
pub(super) const ROLE: &str = "tria.role";
/// The label with the number of a container's release.
pub(super) const RELEASE: &str = "tria.release";

/// Longer than any stop may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);

// === impl DockerEngine ===

impl DockerEngine {
    /// Connects to the engine behind that socket, as in `/var/run/docker.sock`.
    ///
    /// # Errors
    /// If nobody answers there.
    pub async fn connect(socket: &str, project: &str) -> Result<Self> {
        let timeout = REQUEST_TIMEOUT.as_secs();
        let unreachable = |error: Error| EngineError::Unreachable(error.into());
        let docker = Docker::connect_with_unix(socket, timeout, API_DEFAULT_VERSION)
            .map_err(unreachable)?
            .negotiate_version()
            .await
            .map_err(unreachable)?;
        Ok(Self {
            docker,
            socket: socket.to_owned(),
            project: project.to_owned(),
        })
    }

    /// The socket that leads to the engine.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// The address of a container as the engine's own machine reaches it.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn address(&self, name: &str) -> Result<Option<IpAddr>> {
        let Some(inspected) = self.inspect(name).await? else {
            return Ok(None);
        };
        let networks = inspected
            .network_settings
            .and_then(|settings| settings.networks)
            .unwrap_or_default();
        let mut addresses = networks.into_values().filter_map(|it| it.ip_address);
        Ok(addresses.find_map(|address| address.parse().ok()))
    }

    /// The folder in which the engine keeps its data, on its own machine.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn data_folder(&self) -> Result<Option<String>> {
        let info = self.docker.info().await;
        let info = info.map_err(refused("say what it is".into()))?;
        Ok(info.docker_root_dir)
    }

    fn ours(&self) -> HashMap<String, Vec<String>> {
        let label = format!("{PROJECT}={}", self.project);
        HashMap::from([("label".to_owned(), vec![label])])
    }

    fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(PROJECT.to_owned(), self.project.clone())])
    }

    async fn inspect(
        &self,
        name: &str,
    ) -> Result<Option<bollard::models::ContainerInspectResponse>> {
        let options = None::<InspectContainerOptions>;
        let inspected = self.docker.inspect_container(name, options).await;
        found(inspected).map_err(refused(format!("look at {name}")))
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn facts(&self) -> Result<EngineFacts> {
        let info = self.docker.info().await;
        let info = info.map_err(refused("say what it is".into()))?;
        let version = self.docker.version().await;
        let version = version.map_err(refused("say its version".into()))?;
        Ok(seen::facts(&info, version.api_version.as_deref()))
    }

    async fn images(&self) -> Result<Vec<Image>> {
        let options = ListImagesOptions {
            filters: Some(self.ours()),
            ..ListImagesOptions::default()
        };
        let listed = self.docker.list_images(Some(options)).await;
        let listed = listed.map_err(refused("list images".into()))?;
        Ok(listed.into_iter().map(seen::image).collect())
    }

    async fn pull(&self, reference: &str) -> Result<ImageId> {
        let action = || format!("pull {reference}");
        let known = found(self.docker.inspect_image(reference).await);
        if let Some(image) = known.map_err(refused(action()))? {
            return Ok(ImageId::new(image.id.unwrap_or_default()));
        }
        let options = CreateImageOptions {
            from_image: Some(reference.to_owned()),
            ..CreateImageOptions::default()
        };
        let pulled = self.docker.create_image(Some(options), None, None);
        let pulled: std::result::Result<Vec<_>, _> = pulled.try_collect().await;
        pulled.map_err(refused(action()))?;
        let image = self.docker.inspect_image(reference).await;
        let image = image.map_err(refused(action()))?;
        Ok(ImageId::new(image.id.unwrap_or_default()))
    }

    async fn build(&self, spec: &BuildSpec) -> Result<ImageId> {
        build::build(&self.socket, spec, &self.labels()).await
    }

    async fn remove_image(&self, image: &ImageId) -> Result<()> {
        let options = RemoveImageOptions {
            force: true,
            ..RemoveImageOptions::default()
        };
        let removed = self
            .docker
            .remove_image(image.as_str(), Some(options), None);
        found(removed.await).map_err(refused(format!("remove {image}")))?;
        Ok(())
    }

    async fn containers(&self) -> Result<Vec<Container>> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(self.ours()),
            ..ListContainersOptions::default()
        };
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(refused("list containers".into()))?;
        let mut containers = Vec::new();
        for id in listed.into_iter().filter_map(|summary| summary.id) {
            // One that is gone since then does not count.
            let inspected = self.inspect(&id).await?;
            containers.extend(inspected.map(|inspected| seen::container(&inspected)));
        }
        containers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(containers)
    }

    async fn container(&self, name: &str) -> Result<Option<Container>> {
        let inspected = self.inspect(name).await?;
        Ok(inspected.map(|inspected| seen::container(&inspected)))
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<()> {
        let options = CreateContainerOptions {
            name: Some(spec.name.clone()),
            ..CreateContainerOptions::default()
        };
        let body = wanted::body(spec, self.labels());
        match self.docker.create_container(Some(options), body).await {
            Ok(_) => {}
            Err(Error::DockerResponseServerError {
                status_code: 409, ..
            }) => {
                let what = spec.name.clone();
                return Err(EngineError::Exists { what });
            }
            Err(error) => return Err(refused(format!("create {}", spec.name))(error)),
        }
        // The API of older engines takes one network when a container is made.
        for (network, aliases) in spec.networks.iter().skip(1) {
            let request = NetworkConnectRequest {
                container: spec.name.clone(),
                endpoint_config: Some(wanted::endpoint(aliases)),
            };
            let connected = self.docker.connect_network(network, request).await;
            connected.map_err(refused(format!("connect {} to {network}", spec.name)))?;
        }
        Ok(())
    }

    async fn start(&self, name: &str) -> Result<()> {
        let started = self.docker.start_container(name, None).await;
        started.map_err(refused(format!("start {name}")))
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<()> {
        let options = StopContainerOptions {
            t: Some(i32::try_from(grace.as_secs()).unwrap_or(i32::MAX)),
            ..StopContainerOptions::default()
        };
        let stopped = self.docker.stop_container(name, Some(options)).await;
        found(unless_done(stopped)).map_err(refused(format!("stop {name}")))?;
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let options = RemoveContainerOptions {
            v: true,
            ..RemoveContainerOptions::default()
        };
        let removed = self.docker.remove_container(name, Some(options)).await;
        found(removed).map_err(refused(format!("remove {name}")))?;
        Ok(())
    }

    async fn wait(&self, name: &str) -> Result<i64> {
        let options = WaitContainerOptions {
            condition: "not-running".into(),
        };
        let mut ends = self.docker.wait_container(name, Some(options));
        match ends.next().await {
            Some(Ok(ended)) => Ok(ended.status_code),
            // A program that ends with another code than 0 has ended all the same.
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(refused(format!("wait for {name}"))(error)),
            None => Err(EngineError::Missing {
                what: name.to_owned(),
            }),
        }
    }

    async fn logs(&self, name: &str, lines: usize) -> Result<Output> {
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: lines.to_string(),
            ..LogsOptions::default()
        };
        collected(self.docker.logs(name, Some(options)))
            .await
            .map_err(refused(format!("read the log of {name}")))
    }

    async fn exec(&self, name: &str, command: &[String]) -> Result<Output> {
        let action = || {
            format!(
                "run {} in {name}",
                command.first().map_or("", String::as_str)
            )
        };
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..CreateExecOptions::default()
        };
        let made = self.docker.create_exec(name, options).await;
        let id = made.map_err(refused(action()))?.id;
        let started = self.docker.start_exec(&id, None).await;
        let mut output = match started.map_err(refused(action()))? {
            StartExecResults::Attached { output, .. } => {
                collected(output).await.map_err(refused(action()))?
            }
            StartExecResults::Detached => Output::default(),
        };
        let ended = self.docker.inspect_exec(&id).await;
        output.code = ended.map_err(refused(action()))?.exit_code;
        Ok(output)
    }

    async fn ensure_network(&self, name: &str, internal: bool) -> Result<()> {
        let options = None::<InspectNetworkOptions>;
        let known = found(self.docker.inspect_network(name, options).await);
        if known.map_err(refused(format!("look at {name}")))?.is_some() {
            return Ok(());
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".into()),
            internal: Some(internal),
            labels: Some(self.labels()),
            ..NetworkCreateRequest::default()
        };
        let made = self.docker.create_network(request).await;
        made.map_err(refused(format!("make the network {name}")))?;
        Ok(())
    }

    async fn ensure_volume(&self, name: &str) -> Result<()> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(self.labels()),
            ..VolumeCreateRequest::default()
        };
        // One of that name is given back as it is.
        let made = self.docker.create_volume(request).await;
        made.map_err(refused(format!("make the volume {name}")))?;
        Ok(())
    }

    async fn volumes(&self) -> Result<Vec<String>> {
        let options = ListVolumesOptions {
            filters: Some(self.ours()),
        };
        let listed = self.docker.list_volumes(Some(options)).await;
        let listed = listed.map_err(refused("list volumes".into()))?;
        let mut names: Vec<String> = listed
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(|volume| volume.name)
            .collect();
        names.sort();
        Ok(names)
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let removed = self
            .docker
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await;
        found(removed).map_err(refused(format!("remove the volume {name}")))?;
        Ok(())
    }

    async fn write_files(&self, volume: &str, image: &str, files: &[SecretFile]) -> Result<()> {
        files::write(self, volume, image, files).await
    }
}

/// What is gone, or was never there, is none.
fn found<T>(answer: std::result::Result<T, Error>) -> std::result::Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// "Not modified" says that it was so already.
fn unless_done(answer: std::result::Result<(), Error>) -> std::result::Result<(), Error> {
    match answer {
        Err(Error::DockerResponseServerError {
            status_code: 304, ..
        }) => Ok(()),
        answer => answer,
    }
}

fn refused(action: String) -> impl FnOnce(Error) -> EngineError {
    move |error| match error {
        Error::HyperLegacyError { .. } | Error::IOError { .. } | Error::RequestTimeoutError => {
            EngineError::Unreachable(error.into())
        }
        error => EngineError::Refused {
            action,
            source: error.into(),
        },
    }
}

async fn collected(
    mut lines: impl Stream<Item = std::result::Result<LogOutput, Error>> + Unpin,
) -> std::result::Result<Output, Error> {
    let mut output = Output::default();
    while let Some(line) = lines.next().await {
        match line? {
            LogOutput::StdErr { message } => {
                output.stderr.push_str(&String::from_utf8_lossy(&message));
            }
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                output.stdout.push_str(&String::from_utf8_lossy(&message));
            }
            LogOutput::StdIn { .. } => {}
        }
    }
    Ok(output)
}
