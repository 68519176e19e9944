//! What the commands about a deployment share: options, what they lead to, how it is told.

mod builds;
mod place;
mod running;
mod telling;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use tria_deploy::{
    Desired, Environment, Outcome, Problem, Source, World,
    caddy::Caddy,
    chain,
    definition::{Compose, Definition, PROXY, SERVER},
    env_file,
    http_probe::{FrontDoor, HttpProbe, HttpTest},
    probe::Probe,
    processes::LocalProcesses,
};

use crate::{environment, tell};

use self::{builds::ServerOfTheTree, place::Place};
pub(crate) use self::{
    running::{Opened, confirm_restore, look, run, say},
    telling::{Telling, code},
};

/// Options of every command about a deployment.
#[derive(Args, Clone, Debug)]
pub(crate) struct Shared {
    /// The file with settings and secrets, as `cargo xtask init` writes it
    #[arg(long, value_name = "FILE", default_value = ".env.docker")]
    pub(crate) env_file: PathBuf,
    /// The beginning of all names on the engine; by default `name` of deploy/compose.yaml
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// The machine to deploy on, as in <ssh://user@server>
    #[arg(long, value_name = "URL")]
    pub(crate) host: Option<String>,
    /// The container engine; by default `DOCKER_HOST`, or <unix:///var/run/docker.sock>
    #[arg(long, value_name = "URL")]
    pub(crate) engine: Option<String>,
    /// Where state, journal and lease are kept; by default ~/.local/state/tria/PROJECT
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// Write JSON lines to standard output, and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

/// A deployment that may or may not exist yet, and all that leads to it.
pub(crate) struct Installation {
    pub(crate) repository: PathBuf,
    pub(crate) definition: Definition,
    pub(crate) environment: Environment,
    pub(crate) door: FrontDoor,
    pub(crate) socket: String,
    pub(crate) probe: Arc<HttpProbe>,
    pub(crate) world: World,
}

/// Where the definition is, from the root of the repository.
const COMPOSE: &str = "deploy/compose.yaml";
/// How the image is built.
const DOCKERFILE: &str = "deploy/Dockerfile";

// === impl Installation ===

impl Installation {
    /// Reads the files and reaches the engine. Nothing is changed.
    pub(crate) async fn open(
        shared: &Shared,
        repository: PathBuf,
        server: Option<PathBuf>,
    ) -> Result<Self, Outcome> {
        let environment = environment_of(&shared.env_file)?;
        let definition = definition_of(shared, &repository, &environment).await?;
        let door = door_of(&definition)?;
        let port = port_of(&definition)?;
        let place = Place::find(shared, &definition.name).await?;
        let proxy = definition.container_name(PROXY);
        let tests = HttpTest::of_the_service();
        let socket = place.docker.socket().to_owned();
        let probe = HttpProbe::new(place.docker, port, door.clone(), tests);
        let probe = Arc::new(probe.map_err(|error| bug(&error))?.on(place.machine));
        let world = World {
            proxy: Arc::new(Caddy::new(Arc::clone(&place.engine), proxy, port)),
            probe: Arc::clone(&probe) as Arc<dyn Probe>,
            judge: Arc::new(ServerOfTheTree::new(&repository, server)),
            store: place.store,
            clock: place.clock,
            processes: Arc::new(LocalProcesses::new()),
            engine: place.engine,
        };
        Ok(Self {
            repository,
            definition,
            environment,
            door,
            socket,
            probe,
            world,
        })
    }

    /// What is wanted: the tree as it is now, built from that folder.
    pub(crate) fn desired(&self, source: &Source, context: &Path) -> Desired {
        Desired {
            commit: source.commit.clone(),
            tree: source.tree.clone(),
            uncommitted: source.uncommitted.clone(),
            migrations: source.migrations.clone(),
            definition: self
                .definition
                .clone()
                .with_folders_of(context, &self.repository),
            environment: self.environment.clone(),
            context: context.to_owned(),
            dockerfile: DOCKERFILE.into(),
            domain: self.door.domain.clone(),
        }
    }
}

/// The root of the repository that we are in.
pub(crate) fn repository() -> Result<PathBuf, Outcome> {
    Source::root_of(Path::new(".")).map_err(|error| {
        refused(
            "no_repository",
            chain(&error),
            "run the command in a clone of the repository",
        )
    })
}

/// The tree as it is now.
pub(crate) fn source(repository: &Path) -> Result<Source, Outcome> {
    Source::read(repository).map_err(|error| {
        refused(
            "source",
            chain(&error),
            "see what `git status` says in this folder",
        )
    })
}

/// Whoever builds the tree must not build the secrets into it.
pub(crate) fn no_secret_in(source: &Source, env_file: &Path) -> Result<(), Outcome> {
    let takes_in = source.takes_in(env_file).map_err(|error| bug(&error))?;
    if !takes_in {
        return Ok(());
    }
    Err(refused(
        "secrets_in_tree",
        format!(
            "git does not ignore {}, which has secrets",
            env_file.display()
        ),
        "name it .env.docker or the like, which is ignored, or keep it elsewhere",
    ))
}

fn environment_of(file: &Path) -> Result<Environment, Outcome> {
    let environment = env_file::read(file).map_err(|error| {
        refused(
            "env_file",
            chain(&error),
            "`cargo xtask init` makes one; another one is named with `--env-file`",
        )
    })?;
    if env_file::is_open_to_others(file) {
        let file = file.display();
        tell(&format!(
            "warning: others can read the secrets in {file}; `chmod 600 {file}`"
        ));
    }
    Ok(environment)
}

async fn definition_of(
    shared: &Shared,
    repository: &Path,
    environment: &Environment,
) -> Result<Definition, Outcome> {
    let compose = Compose {
        file: &repository.join(COMPOSE),
        env_file: &shared.env_file,
        environment,
        project: shared.project.as_deref(),
        inherited: &environment::of_the_docker_command(),
    };
    compose.resolve().await.map_err(|error| {
        refused(
            "definition",
            chain(&error),
            "correct deploy/compose.yaml or the environment file; Docker's Compose plugin must be installed",
        )
    })
}

/// The front door, as the machine of the engine reaches it itself.
fn door_of(definition: &Definition) -> Result<FrontDoor, Outcome> {
    let proxy = definition.container(PROXY).map_err(|error| bug(&error))?;
    let site = proxy.environment.get("SITE_ADDRESS");
    let published = |target: u16| {
        let found = proxy.ports.iter().find(|port| port.target == target);
        found.map_or(target, |port| port.published)
    };
    let site = site.map_or(":80", String::as_str);
    FrontDoor::new(
        site,
        Ipv4Addr::LOCALHOST.into(),
        published(80),
        published(443),
    )
    .map_err(|error| {
        refused(
            "site_address",
            error.to_string(),
            "correct it in the environment file",
        )
    })
}

fn port_of(definition: &Definition) -> Result<u16, Outcome> {
    let server = definition.container(SERVER).map_err(|error| bug(&error))?;
    let port = server
        .environment
        .get("PORT")
        .map_or("8003", String::as_str);
    port.parse().map_err(|_| {
        refused(
            "port",
            format!("PORT {port:?} of {SERVER} is no port"),
            "correct it in deploy/compose.yaml",
        )
    })
}

/// It cannot be done as it was asked for; nothing was touched.
pub(crate) fn refused(
    code: &'static str,
    text: impl Into<String>,
    remedy: impl Into<String>,
) -> Outcome {
    Outcome::Refused(Problem::new(code, text, remedy))
}

/// It could not even begin.
pub(crate) fn failed(
    code: &'static str,
    text: impl Into<String>,
    remedy: impl Into<String>,
) -> Outcome {
    Outcome::Failed {
        phase: None,
        problem: Problem::new(code, text, remedy),
    }
}

fn bug(error: &(dyn std::error::Error + 'static)) -> Outcome {
    failed("bug", chain(error), "this is a bug; please tell us")
}
