//! From what Docker says to what a deployment knows.

use std::{collections::BTreeMap, path::Path, time::UNIX_EPOCH};

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum, ImageSummary, SystemInfo,
};

use super::{RELEASE, ROLE};
use crate::{
    clock::Timestamp,
    engine::{Container, ContainerState, EngineFacts, Health, Image, ImageId, Role},
};

pub(super) fn facts(info: &SystemInfo, api: Option<&str>) -> EngineFacts {
    let root = info.docker_root_dir.as_deref().map(Path::new);
    EngineFacts {
        version: info.server_version.clone().unwrap_or_default(),
        api: api.and_then(version).unwrap_or_default(),
        memory_bytes: info
            .mem_total
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or_default(),
        disk_free_bytes: root.and_then(free),
        time: info.system_time.as_deref().and_then(moment),
    }
}

pub(super) fn container(inspected: &ContainerInspectResponse) -> Container {
    let config = inspected.config.as_ref();
    let labels: BTreeMap<String, String> = config
        .and_then(|config| config.labels.clone())
        .unwrap_or_default()
        .into_iter()
        .collect();
    let state = inspected.state.as_ref();
    let health = state
        .and_then(|state| state.health.as_ref())
        .and_then(|health| health.status);
    let role = labels.get(ROLE).map(String::as_str).and_then(role);
    Container {
        name: inspected
            .name
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        // One of ours always says; whatever does not is left alone.
        role: role.unwrap_or(Role::Backing),
        release: labels.get(RELEASE).and_then(|number| number.parse().ok()),
        image: ImageId::new(inspected.image.clone().unwrap_or_default()),
        state: match state.and_then(|state| state.status) {
            Some(ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::PAUSED) => {
                ContainerState::Running
            }
            Some(ContainerStateStatusEnum::RESTARTING) => ContainerState::Restarting,
            Some(ContainerStateStatusEnum::CREATED) | None => ContainerState::Created,
            Some(_) => {
                let code = state.and_then(|state| state.exit_code);
                ContainerState::Exited(code.unwrap_or(-1))
            }
        },
        health: match health {
            Some(HealthStatusEnum::STARTING) => Health::Starting,
            Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
            Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
            Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => Health::Unprobed,
        },
        restarts: inspected
            .restart_count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default(),
        labels,
    }
}

pub(super) fn image(summary: ImageSummary) -> Image {
    Image {
        id: ImageId::new(summary.id),
        references: summary.repo_tags,
        size_bytes: u64::try_from(summary.size).unwrap_or_default(),
    }
}

/// The role as its label says it; the same form that a journal has.
fn role(label: &str) -> Option<Role> {
    serde_json::from_str(label).ok()
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// None for the disk of another machine, whose folder is not there.
fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn moment(text: &str) -> Option<Timestamp> {
    let moment = humantime::parse_rfc3339_weak(text).ok()?;
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::default().plus(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Purpose, docker::wanted};

    #[test]
    fn versions_and_times_of_the_engine_are_understood() {
        assert_eq!(version("1.41"), Some((1, 41)));
        assert_eq!(version("nonsense"), None);
        let moment = moment("2026-09-21T14:13:20.123456789Z").unwrap();
        assert_eq!(moment.to_string(), "2026-09-21T14:13:20Z");
    }

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for it in [Role::Server, Role::Backing, Role::OneShot(Purpose::Dump)] {
            assert_eq!(role(&wanted::role(it)), Some(it));
        }
        assert_eq!(role("\"nonsense\""), None);
    }
}
