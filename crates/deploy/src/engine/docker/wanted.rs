//! From what a deployment wants to what Docker is told.

use std::{collections::HashMap, time::Duration};

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
    MountType, NetworkingConfig, PortBinding, PortMap, RestartPolicy, RestartPolicyNameEnum,
};

use super::{RELEASE, ROLE};
use crate::engine::{ContainerSpec, HealthProbe, Mount, Port, Role};

pub(super) fn body(
    spec: &ContainerSpec,
    mut labels: HashMap<String, String>,
) -> ContainerCreateBody {
    labels.extend(spec.labels.clone());
    labels.insert(ROLE.into(), role(spec.role));
    if let Some(number) = spec.release {
        labels.insert(RELEASE.into(), number.to_string());
    }
    let environment = spec.environment.iter();
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        env: Some(
            environment
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        ),
        user: spec.user.clone(),
        labels: Some(labels),
        // One that has no probe of its own must not have the image's: it would be watched by it.
        healthcheck: Some(spec.health.as_ref().map_or_else(no_health, health)),
        exposed_ports: Some(spec.ports.iter().map(exposed).collect()),
        stop_timeout: spec.stop_grace.map(seconds),
        host_config: Some(host(spec)),
        networking_config: spec
            .networks
            .iter()
            .next()
            .map(|(network, aliases)| NetworkingConfig {
                endpoints_config: Some(HashMap::from([(network.clone(), endpoint(aliases))])),
            }),
        ..ContainerCreateBody::default()
    }
}

pub(super) fn endpoint(aliases: &[String]) -> EndpointSettings {
    EndpointSettings {
        aliases: Some(aliases.to_vec()),
        ..EndpointSettings::default()
    }
}

pub(super) fn role(role: Role) -> String {
    serde_json::to_string(&role).unwrap_or_default()
}

fn host(spec: &ContainerSpec) -> HostConfig {
    let limits = &spec.limits;
    let memory = limits.memory_bytes.and_then(|bytes| bytes.try_into().ok());
    HostConfig {
        mounts: Some(spec.mounts.iter().map(mount).collect()),
        network_mode: Some(
            spec.networks
                .keys()
                .next()
                .cloned()
                .unwrap_or_else(|| "none".into()),
        ),
        port_bindings: Some(bindings(&spec.ports)),
        restart_policy: spec.restart.then_some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        memory,
        // The same: no swap on top, in which a service would only become slow.
        memory_swap: memory,
        nano_cpus: limits
            .cpu_millis
            .and_then(|millis| i64::try_from(millis * 1_000_000).ok()),
        pids_limit: limits.pids.and_then(|pids| pids.try_into().ok()),
        cap_drop: Some(spec.cap_drop.clone()),
        cap_add: Some(spec.cap_add.clone()),
        security_opt: spec
            .no_new_privileges
            .then(|| vec!["no-new-privileges:true".into()]),
        readonly_rootfs: Some(spec.read_only),
        tmpfs: Some(spec.tmpfs.iter().map(|entry| tmpfs(entry)).collect()),
        init: Some(spec.init),
        log_config: spec.logging.as_ref().map(|logging| HostConfigLogConfig {
            typ: Some(logging.driver.clone()),
            config: Some(logging.options.clone().into_iter().collect()),
        }),
        ..HostConfig::default()
    }
}

fn mount(mount: &Mount) -> bollard::models::Mount {
    bollard::models::Mount {
        target: Some(mount.target.clone()),
        source: Some(mount.volume.clone()),
        typ: Some(MountType::VOLUME),
        read_only: Some(mount.read_only),
        ..bollard::models::Mount::default()
    }
}

fn tmpfs(entry: &str) -> (String, String) {
    let (path, options) = entry.split_once(':').unwrap_or((entry, ""));
    (path.to_owned(), options.to_owned())
}

fn exposed(port: &Port) -> String {
    let protocol = if port.udp { "udp" } else { "tcp" };
    format!("{}/{protocol}", port.target)
}

fn bindings(ports: &[Port]) -> PortMap {
    let mut bindings = PortMap::new();
    for port in ports {
        let binding = PortBinding {
            host_ip: port.host_ip.clone(),
            host_port: Some(port.published.to_string()),
        };
        let bound = bindings.entry(exposed(port)).or_default();
        bound.get_or_insert_default().push(binding);
    }
    bindings
}

fn health(probe: &HealthProbe) -> HealthConfig {
    HealthConfig {
        test: Some(probe.test.clone()),
        interval: Some(nanos(probe.interval)),
        timeout: Some(nanos(probe.timeout)),
        retries: Some(probe.retries.into()),
        start_period: Some(nanos(probe.start_period)),
        start_interval: None,
    }
}

fn no_health() -> HealthConfig {
    HealthConfig {
        test: Some(vec!["NONE".into()]),
        ..HealthConfig::default()
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
