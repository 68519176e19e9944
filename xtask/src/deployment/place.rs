//! Where the engine is, and who remembers what was deployed on it.

use std::{path::PathBuf, sync::Arc};

use tria_deploy::{
    Clock, Outcome, SystemClock, chain,
    engine::{DockerEngine, Engine, EngineError},
    machine::{Machine, ThisMachine},
    remote::{HostUrl, Remote, RemoteEngine, RemoteError, RemoteOptions},
    store::{FileStore, Store},
};

use super::{Shared, failed, refused};
use crate::environment;

/// An engine, the machine that it runs on, and what is kept there.
pub(crate) struct Place {
    pub(crate) engine: Arc<dyn Engine>,
    /// The same, for those who ask where a container is.
    pub(crate) docker: DockerEngine,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

const USUAL: &str = "/var/run/docker.sock";

// === impl Place ===

impl Place {
    pub(crate) async fn find(shared: &Shared, project: &str) -> Result<Self, Outcome> {
        match &shared.host {
            Some(host) => Self::there(shared, host, project).await,
            None => Self::here(shared, project).await,
        }
    }

    async fn here(shared: &Shared, project: &str) -> Result<Self, Outcome> {
        let url = shared.engine.clone().or_else(environment::docker_host);
        let socket = url.as_deref().map_or(Ok(USUAL), socket_of)?;
        let docker = DockerEngine::connect(socket, project)
            .await
            .map_err(|error| unreachable(&error, socket))?;
        let folder = match &shared.state {
            Some(folder) => folder.clone(),
            None => state_folder()?.join(project),
        };
        let store = FileStore::open(&folder).map_err(|error| {
            failed(
                "state_unwritable",
                format!("{}: {}", folder.display(), chain(&error)),
                "see that the folder belongs to you, or name another one with `--state`",
            )
        })?;
        Ok(Self {
            engine: Arc::new(docker.clone()),
            docker,
            machine: Arc::new(ThisMachine),
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
        })
    }

    async fn there(shared: &Shared, host: &str, project: &str) -> Result<Self, Outcome> {
        let lost = |error: RemoteError| failed("host", chain(&error), error.remedy());
        let host: HostUrl = host
            .parse()
            .map_err(|error: RemoteError| refused("host", chain(&error), error.remedy()))?;
        let socket = shared.engine.as_deref().map_or(Ok(USUAL), socket_of)?;
        let options = RemoteOptions {
            socket: socket.to_owned(),
            ..RemoteOptions::default()
        };
        let remote = Remote::connect(&host, &options).await.map_err(lost)?;
        let engine = RemoteEngine::connect(&remote, project)
            .await
            .map_err(|error| unreachable(&error, socket))?;
        let folder = match &shared.state {
            Some(folder) => folder.display().to_string(),
            None => remote.state_folder(project),
        };
        let store = remote.store(&folder).await.map_err(lost)?;
        Ok(Self {
            docker: engine.docker().clone(),
            engine: Arc::new(engine),
            store: Arc::new(store),
            clock: Arc::new(remote.clock()),
            machine: Arc::new(remote),
        })
    }
}

fn socket_of(url: &str) -> Result<&str, Outcome> {
    url.strip_prefix("unix://").ok_or_else(|| {
        refused(
            "engine",
            format!("{url} is not the socket of an engine"),
            "name one, as in `--engine unix:///var/run/docker.sock`; for another machine there is `--host`",
        )
    })
}

fn unreachable(error: &EngineError, socket: &str) -> Outcome {
    failed(
        "engine_unreachable",
        format!("{socket}: {}", chain(error)),
        "start the container engine, or name another one with `--engine`; `docker info` shows whether you may use it",
    )
}

/// One for all clones of a user, so that they share lease and journal.
fn state_folder() -> Result<PathBuf, Outcome> {
    let folder = environment::state_home().ok_or_else(|| {
        refused(
            "state",
            "there is no home folder to keep the state in",
            "set HOME, or name a folder with `--state`",
        )
    })?;
    Ok(folder.join("tria"))
}
