//! One service of the compose file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A service, with every key that a deployment understands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// The image.
    pub image: Option<String>,
    /// How the image is built; the deployment has its own say in that.
    pub build: Option<Value>,
    /// What runs instead of the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// The arguments.
    pub command: Option<Vec<String>>,
    /// Environment that anyone may read.
    pub environment: BTreeMap<String, Option<String>>,
    /// Secrets, as files.
    pub secrets: Vec<SecretUse>,
    /// What is mounted.
    pub volumes: Vec<VolumeUse>,
    /// Networks, with further names there.
    pub networks: BTreeMap<String, Option<NetworkUse>>,
    /// Ports of the host.
    pub ports: Vec<PortUse>,
    /// Ports that are told, not opened.
    pub expose: Vec<String>,
    /// How its health is found out.
    pub healthcheck: Option<HealthTest>,
    /// Whether it is started again: `unless-stopped` or `no`.
    pub restart: Option<String>,
    /// What it may use.
    pub deploy: Option<Deploy>,
    /// Processes and threads.
    pub pids_limit: Option<u64>,
    /// Capabilities that are taken away.
    pub cap_drop: Vec<String>,
    /// Capabilities that are given back.
    pub cap_add: Vec<String>,
    /// `no-new-privileges:true` and nothing else.
    pub security_opt: Vec<String>,
    /// Whether its root filesystem is read-only.
    pub read_only: bool,
    /// Folders in memory.
    pub tmpfs: Vec<String>,
    /// The user.
    pub user: Option<String>,
    /// Whether a small init reaps orphaned processes.
    pub init: bool,
    /// How long it may take to stop.
    pub stop_grace_period: Option<String>,
    /// Where its output goes.
    pub logging: Option<LoggingConfig>,
    /// What must be up before.
    pub depends_on: BTreeMap<String, Dependency>,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
}

/// A secret that a service reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretUse {
    /// Which one.
    pub source: String,
    /// The file, in `/run/secrets` unless it is a whole path.
    #[serde(default)]
    pub target: Option<String>,
}

/// Something that a service mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeUse {
    /// `volume` or `bind`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which volume or folder.
    pub source: String,
    /// Where.
    pub target: String,
    /// Whether it cannot be written.
    #[serde(default)]
    pub read_only: bool,
    /// Compose writes it empty.
    #[serde(default)]
    pub volume: Option<Value>,
    /// Compose writes whether the folder is made.
    #[serde(default)]
    pub bind: Option<Value>,
}

/// How a service takes part in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkUse {
    /// Further names.
    pub aliases: Vec<String>,
}

/// A port of the host that leads to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortUse {
    /// `ingress`, which means nothing without a swarm.
    #[serde(default)]
    pub mode: Option<String>,
    /// The address of the host.
    #[serde(default)]
    pub host_ip: Option<String>,
    /// The port of the container.
    pub target: u16,
    /// The port of the host.
    pub published: String,
    /// `tcp` or `udp`.
    #[serde(default)]
    pub protocol: Option<String>,
}

/// A command that tells a service's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthTest {
    /// The command.
    pub test: Vec<String>,
    /// How often.
    #[serde(default)]
    pub interval: Option<String>,
    /// How long one may take.
    #[serde(default)]
    pub timeout: Option<String>,
    /// How many failures make it unhealthy.
    #[serde(default)]
    pub retries: Option<u32>,
    /// How long failures do not count.
    #[serde(default)]
    pub start_period: Option<String>,
}

/// What compose puts under `deploy`; of it only the limits mean something here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deploy {
    /// What the service may use.
    pub resources: Option<Resources>,
    /// Compose writes it empty.
    pub placement: BTreeMap<String, Value>,
}

/// Limits of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// `memory` in bytes, `cpus` in processors, `pids`.
    pub limits: BTreeMap<String, Value>,
}

/// Where output goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// The engine's driver.
    pub driver: String,
    /// Its options.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// What a service waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dependency {
    /// `service_healthy` or `service_started`; a deployment waits for health in any case.
    pub condition: String,
    /// Whether it must be there.
    pub required: bool,
}
