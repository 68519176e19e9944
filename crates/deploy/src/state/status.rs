//! What serves, what runs, and what is kept. Nothing is changed to find out.

use serde::Serialize;

use crate::{
    backup::{Manifest, backups},
    clock::Timestamp,
    engine::{Container, Role},
    fingerprint::short,
    halt::Result,
    journal::{Journal, Kind, Standing},
    lease::Lease,
    outcome::Problem,
    release::Release,
    state::State,
    world::World,
};

/// A deployment as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The release that serves, as it is remembered.
    pub serving: Option<KnownRelease>,
    /// Whom the traffic goes to, as the proxy says.
    pub traffic: Option<String>,
    /// Why the release that serves is not as it should be.
    pub degraded: Option<String>,
    /// The release before, which a rollback goes to.
    pub previous: Option<KnownRelease>,
    /// One that failed its tests behind the front door.
    pub rejected: Option<KnownRelease>,
    /// All containers of the project.
    pub containers: Vec<KnownContainer>,
    /// The newest backup.
    pub backup: Option<KnownBackup>,
    /// How many backups there are.
    pub backups: usize,
    /// Who deploys now.
    pub deploying: Option<String>,
    /// What was begun and not brought to an end.
    pub unfinished: Option<String>,
}

/// A release in a few facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownRelease {
    /// Its number.
    pub number: u64,
    /// Its container.
    pub container: String,
    /// The commit.
    pub commit: String,
    /// The image.
    pub image: String,
    /// When it was made.
    pub at: String,
}

/// A container in a few facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownContainer {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// How it is, as in "running, healthy".
    pub state: String,
    /// How often it was started again.
    pub restarts: u64,
}

/// A backup in a few facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownBackup {
    /// Its name.
    pub id: String,
    /// When it was made.
    pub at: String,
    /// Its size.
    pub bytes: u64,
    /// The rows of all tables.
    pub rows: u64,
    /// Whether it was restored and found equal.
    pub proven: bool,
}

// === impl Status ===

impl Status {
    /// Looks.
    ///
    /// # Errors
    /// If the engine or the state cannot be read.
    pub async fn of(world: &World) -> std::result::Result<Self, Problem> {
        Self::look(world).await.map_err(|halt| halt.problem())
    }

    async fn look(world: &World) -> Result<Self> {
        let store = &*world.store;
        let state = State::read(store).await?;
        let unfinished = Journal::open(store).await?.unfinished();
        let manifests = backups(store).await?;
        let holder = Lease::holder(store, &*world.clock, &*world.processes).await?;
        let containers = world.engine.containers().await?;
        Ok(Self {
            serving: state.current.as_ref().map(KnownRelease::of),
            // A proxy that does not run says nothing; its container says why.
            traffic: world.proxy.target().await.unwrap_or_default(),
            degraded: state.degraded,
            previous: state.previous.as_ref().map(KnownRelease::of),
            rejected: state.rejected.as_ref().map(KnownRelease::of),
            containers: containers.iter().map(KnownContainer::of).collect(),
            backup: manifests.last().map(KnownBackup::of),
            backups: manifests.len(),
            deploying: holder.map(|owner| owner.to_string()),
            unfinished: unfinished.map(|open| {
                let what = match open.kind {
                    Kind::Deploy => "the deployment of",
                    Kind::Rollback => "the way back to",
                    Kind::Restore => "the restore beside",
                };
                let number = open.number;
                format!(
                    "{what} release {number} was interrupted {}",
                    told(&open.standing)
                )
            }),
        })
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        match &self.serving {
            Some(release) => lines.push(format!("serving:  {}", release.text())),
            None => lines.push("serving:  nothing is deployed yet".into()),
        }
        if let Some(reason) = &self.degraded {
            lines.push(format!("  ⚠️  it is degraded: {reason}"));
        }
        let serving = self.serving.as_ref().map(|release| &release.container);
        if self.traffic.as_ref() != serving {
            let traffic = self.traffic.as_deref().unwrap_or("nobody");
            lines.push(format!("  ⚠️  the traffic goes to {traffic}"));
        }
        for (title, release) in [("previous:", &self.previous), ("rejected:", &self.rejected)] {
            if let Some(release) = release {
                lines.push(format!("{title} {}", release.text()));
            }
        }
        lines.push("containers:".into());
        let widest = self.containers.iter().map(|it| it.name.len()).max();
        let widest = widest.unwrap_or_default();
        for container in &self.containers {
            let (name, state) = (&container.name, &container.state);
            let restarts = match container.restarts {
                0 => String::new(),
                count => format!(", restarted {count} times"),
            };
            lines.push(format!("  {name:widest$}  {state}{restarts}"));
        }
        lines.push(match &self.backup {
            Some(backup) => format!("backup:   {} (of {})", backup.text(), self.backups),
            None => "backup:   there is none".into(),
        });
        if let Some(owner) = &self.deploying {
            lines.push(format!("deploying now: {owner}"));
        }
        if let Some(unfinished) = &self.unfinished {
            lines.push(format!("⚠️  {unfinished}; the next deployment settles it"));
        }
        lines.join("\n")
    }
}

// === impl KnownRelease ===

impl KnownRelease {
    fn of(release: &Release) -> Self {
        Self {
            number: release.number,
            container: release.name().to_owned(),
            commit: release.commit.clone(),
            image: release.image.to_string(),
            at: release.at.to_string(),
        }
    }

    fn text(&self) -> String {
        let image = self.image.trim_start_matches("sha256:");
        format!(
            "release {} of {}, commit {}, image {}, {}",
            self.number,
            self.at,
            short(&self.commit),
            short(image),
            self.container
        )
    }
}

// === impl KnownContainer ===

impl KnownContainer {
    fn of(container: &Container) -> Self {
        Self {
            name: container.name.clone(),
            role: container.role,
            state: container.told(),
            restarts: container.restarts,
        }
    }
}

// === impl KnownBackup ===

impl KnownBackup {
    /// Of its manifest.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.clone(),
            at: manifest.at.to_string(),
            bytes: manifest.bytes(),
            rows: manifest.rows.values().sum(),
            proven: manifest.proven.is_some_and(|at| at > Timestamp::default()),
        }
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let proven = if self.proven { "proven" } else { "not proven" };
        format!(
            "{} of {}, {} rows, {} bytes, {proven}",
            self.id, self.at, self.rows, self.bytes
        )
    }
}

fn told(standing: &Standing) -> &'static str {
    match standing {
        Standing::BeforeSwitch => "before the switch",
        Standing::Restoring(_) => "while a backup was restored",
        Standing::Switching | Standing::Switched => "at the switch",
        Standing::Verified => "after the switch",
        Standing::SwitchingBack(_) | Standing::SwitchedBack(_) => "on the way back",
    }
}
