//! Containers: what is asked for, and what is seen.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::ImageId;

/// How a container is to be made. It holds no secret: those come as files of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the engine's own"
)]
pub struct ContainerSpec {
    /// Its name, which is also its address on its networks.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The number of the release it belongs to.
    pub release: Option<u64>,
    /// The image, by name or identity.
    pub image: String,
    /// What runs instead of the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// The arguments.
    pub command: Option<Vec<String>>,
    /// Environment that anyone may read.
    pub environment: BTreeMap<String, String>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Its networks, each with further names of the container there; without any it is alone.
    pub networks: BTreeMap<String, Vec<String>>,
    /// Ports of the host that lead to it.
    pub ports: Vec<Port>,
    /// How its health is found out.
    pub health: Option<HealthProbe>,
    /// Whether the engine starts it again after it ended or the machine restarted.
    pub restart: bool,
    /// What it may use.
    pub limits: Limits,
    /// Capabilities that are taken away.
    pub cap_drop: Vec<String>,
    /// Capabilities that are given back.
    pub cap_add: Vec<String>,
    /// Whether no process in it may gain privileges.
    pub no_new_privileges: bool,
    /// Whether its root filesystem is read-only.
    pub read_only: bool,
    /// Folders in memory, with their options after a colon.
    pub tmpfs: Vec<String>,
    /// The user that it runs as.
    pub user: Option<String>,
    /// Whether a small init reaps orphaned processes.
    pub init: bool,
    /// How long it may take to stop.
    pub stop_grace: Option<Duration>,
    /// Where its output goes.
    pub logging: Option<Logging>,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
}

/// What a container is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A release of the service.
    #[default]
    Server,
    /// The proxy, or something the service depends on.
    Backing,
    /// A command that runs once.
    OneShot(Purpose),
}

/// What a command that runs once is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Bring the schema up to date.
    Migrate,
    /// Write a backup.
    Dump,
    /// Restore a backup where nobody sees it, and count.
    Prove,
    /// Restore a backup for good.
    Restore,
    /// Count the rows of the live database.
    Count,
    /// Remove backups.
    Prune,
}

/// A volume that is mounted. Folders of the engine's machine are not: it may be another one than
/// ours, and what is in them may change under a container that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Which volume.
    pub volume: String,
    /// Where.
    pub target: String,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// A port of the host that leads to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The address of the host; all of them if none is named.
    pub host_ip: Option<String>,
    /// The port of the host.
    pub published: u16,
    /// The port of the container.
    pub target: u16,
    /// Whether it is UDP.
    pub udp: bool,
}

/// A command that tells a container's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthProbe {
    /// The command, in the engine's form: `["CMD", …]` or `["CMD-SHELL", …]`.
    pub test: Vec<String>,
    /// How often.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// How many failures make it unhealthy.
    pub retries: u32,
    /// How long failures do not count after the start.
    pub start_period: Duration,
}

/// What a container may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Processors, in thousandths.
    pub cpu_millis: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// Where output goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The engine's driver.
    pub driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

/// A container as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The number of the release it belongs to.
    pub release: Option<u64>,
    /// What it runs.
    pub image: ImageId,
    /// Whether it runs.
    pub state: ContainerState,
    /// How it is.
    pub health: Health,
    /// How often the engine started it again after it had ended by itself.
    pub restarts: u64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Whether a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Not started yet.
    Created,
    /// It runs.
    Running,
    /// It ended, and the engine starts it again.
    Restarting,
    /// It ended with that code.
    Exited(i64),
}

/// What a container's health probe says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has no probe.
    Unprobed,
    /// It was not healthy yet.
    Starting,
    /// The last probe passed.
    Healthy,
    /// Too many failed.
    Unhealthy,
}

// === impl Container ===

impl Container {
    /// Whether it runs and says that it is well.
    pub fn is_healthy(&self) -> bool {
        self.state == ContainerState::Running && self.health == Health::Healthy
    }

    /// How it is in a few words, as in "running, healthy".
    pub fn told(&self) -> String {
        let state = match self.state {
            ContainerState::Created => "created".to_owned(),
            ContainerState::Running => "running".to_owned(),
            ContainerState::Restarting => "restarting".to_owned(),
            ContainerState::Exited(code) => format!("stopped ({code})"),
        };
        match self.health {
            // What a stopped one said last means nothing.
            _ if self.state != ContainerState::Running => state,
            Health::Healthy => format!("{state}, healthy"),
            Health::Unhealthy => format!("{state}, unhealthy"),
            Health::Starting => format!("{state}, starting"),
            Health::Unprobed => state,
        }
    }
}
