use std::{path::Path, time::Duration};

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::{
    engine::{Mount, Role},
    environment::Environment,
};

fn document() -> Value {
    json!({
        "name": "tria",
        "networks": {"back": {"name": "tria_back", "ipam": {}}},
        "volumes": {"data": {"name": "tria_data"}},
        "secrets": {"secret_key": {"name": "tria_secret_key", "environment": "SECRET_KEY"}},
        "services": {
            "caddy": {
                "image": "caddy:2", "command": null, "entrypoint": null,
                "networks": {"back": null},
                "depends_on": {"tria-server": {"condition": "service_started", "required": false}},
                "ports": [{"mode": "ingress", "target": 80, "published": "8080", "protocol": "tcp"}],
            },
            "postgres": {
                "image": "postgres:17", "networks": {"back": {"aliases": ["db"]}},
                "volumes": [{"type": "volume", "source": "data", "target": "/data", "volume": {}}],
            },
            "tria-server": {
                "image": "tria-server", "networks": {"back": null},
                "environment": {"HOST": "0.0.0.0", "UNSET": null},
                "secrets": [{"source": "secret_key", "target": "/run/secrets/secret_key"}],
                "deploy": {"resources": {"limits": {"cpus": 1.5, "memory": "536870912"}}, "placement": {}},
                "healthcheck": {"test": ["CMD", "x"], "interval": "5s", "start_period": "1m30s"},
                "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"],
                "read_only": true, "restart": "unless-stopped", "stop_grace_period": "40s",
            },
        },
    })
}

fn read(document: &Value) -> Result<Definition, DefinitionError> {
    Definition::from_json(&document.to_string())
}

#[test]
fn a_service_becomes_a_container() {
    let definition = read(&document()).unwrap();
    let server = definition.container(SERVER).unwrap();
    assert_eq!(server.role, Role::Server);
    assert_eq!(server.environment.keys().collect::<Vec<_>>(), ["HOST"]);
    assert_eq!(server.limits.memory_bytes, Some(536_870_912));
    assert_eq!(server.limits.cpu_millis, Some(1500));
    assert_eq!(server.stop_grace, Some(Duration::from_secs(40)));
    let health = server.health.unwrap();
    assert_eq!(health.start_period, Duration::from_secs(90));
    assert!(server.no_new_privileges && server.read_only && server.restart);
    assert_eq!(server.networks["tria_back"], [""; 0]);

    let database = definition.container(DATABASE).unwrap();
    assert_eq!(database.networks["tria_back"], ["db", "postgres"]);
    let mount = Mount {
        volume: "tria_data".into(),
        target: "/data".into(),
        read_only: false,
    };
    assert_eq!(database.mounts, [mount]);
}

#[test]
fn what_is_not_supported_is_refused_and_named() {
    for (path, value) in [
        ("/services/tria-server/deploy/update_config", json!({})),
        ("/services/tria-server/privileged", json!(true)),
        (
            "/services/tria-server/deploy/resources/reservations",
            json!({}),
        ),
        ("/configs", json!({})),
    ] {
        let mut document = document();
        let (parent, key) = path.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[key] = value;
        let Err(DefinitionError::Unsupported(source)) = read(&document) else {
            panic!("{path} was taken");
        };
        assert!(source.to_string().contains(key), "{source}");
    }
}

#[test]
fn values_that_mean_something_else_are_refused() {
    for (key, value) in [
        ("restart", json!("always")),
        ("security_opt", json!(["seccomp:unconfined"])),
        ("stop_grace_period", json!("soon")),
        ("networks", json!({"none": null})),
        (
            "volumes",
            json!([{"type": "npipe", "source": "x", "target": "/x"}]),
        ),
        (
            "volumes",
            json!([{"type": "bind", "source": "/x", "target": "/x", "read_only": true}]),
        ),
    ] {
        let mut document = document();
        document["services"]["tria-server"][key] = value;
        let definition = read(&document).unwrap();
        assert!(definition.container(SERVER).is_err(), "{key}");
    }
}

#[test]
fn a_folder_is_handed_on_in_a_volume_wherever_it_lies() {
    let bound = |source: &str, read_only: bool| {
        let mut document = document();
        document["services"]["caddy"]["volumes"] = json!([
            {"type": "bind", "source": source, "target": "/etc/caddy", "read_only": read_only},
        ]);
        read(&document).unwrap()
    };
    let (here, there) = (bound("/here/caddy", true), bound("/there/caddy", true));
    assert_eq!(here.hash_of(PROXY), there.hash_of(PROXY));
    let mount = Mount {
        volume: "tria-files-caddy-etc-caddy".into(),
        target: "/etc/caddy".into(),
        read_only: true,
    };
    assert_eq!(here.container(PROXY).unwrap().mounts, [mount]);
    let folders = here.bound_folders(PROXY);
    assert_eq!(folders[0].source.to_str(), Some("/here/caddy"));
    assert_eq!(folders[0].volume, "tria-files-caddy-etc-caddy");
    let deployed = here.with_folders_of(Path::new("/copy"), Path::new("/here"));
    let source = &deployed.bound_folders(PROXY)[0].source;
    assert_eq!(source.to_str(), Some("/copy/caddy"));
    let elsewhere = there.with_folders_of(Path::new("/copy"), Path::new("/here"));
    let source = &elsewhere.bound_folders(PROXY)[0].source;
    assert_eq!(source.to_str(), Some("/there/caddy"));
    // What it writes would be in no folder of ours.
    assert!(bound("/here/caddy", false).container(PROXY).is_err());
}

#[test]
fn secrets_come_from_the_environment_as_files() {
    let definition = read(&document()).unwrap();
    let environment: Environment = [("SECRET_KEY", "s3cret-value")].into_iter().collect();
    let files = definition.secret_files(SERVER, &environment).unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].name, "secret_key");
    assert_eq!(files[0].content.expose_secret(), "s3cret-value");
    let error = definition.secret_files(SERVER, &Environment::default());
    assert!(matches!(error, Err(DefinitionError::NoSecret { key, .. }) if key == "SECRET_KEY"));
}

#[test]
fn a_service_sees_its_secrets_as_values() {
    let mut document = document();
    let set = &mut document["services"]["tria-server"]["environment"];
    set["SECRET_KEY_FILE"] = json!("/run/secrets/secret_key");
    set["OTHER_FILE"] = json!("/etc/other");
    let definition = read(&document).unwrap();
    let environment: Environment = [("SECRET_KEY", "s3cret-value")].into_iter().collect();
    let seen = definition.seen_environment(SERVER, &environment).unwrap();
    let seen: Vec<_> = seen
        .iter()
        .map(|(key, value)| (key, value.expose_secret()))
        .collect();
    assert_eq!(
        seen,
        [
            ("HOST", "0.0.0.0"),
            ("OTHER_FILE", "/etc/other"),
            ("SECRET_KEY", "s3cret-value")
        ]
    );
}

#[test]
fn what_compose_adds_is_taken_away() {
    let mut document = document();
    document["x-hardened"] = json!({"privileged": true});
    document["services"]["postgres"]["command"] = json!(["echo $$HOME"]);
    let definition = read(&document).unwrap();
    let command = definition.container(DATABASE).unwrap().command.unwrap();
    assert_eq!(command, ["echo $HOME"]);
}

/// The file that is deployed, as compose resolves it; made by
/// `docker compose --env-file .env.docker.example -f deploy/compose.yaml config --format json`.
#[test]
fn the_projects_own_definition_is_understood() {
    let definition = Definition::from_json(include_str!("resolved.json")).unwrap();
    let order = definition.backing();
    assert_eq!(order, ["caddy", "chromadb", "postgres", "redis"]);
    for service in order.into_iter().chain([SERVER]) {
        let container = definition.container(service).unwrap();
        assert!(
            container.no_new_privileges && container.restart,
            "{service}"
        );
        assert_eq!(container.cap_drop, ["ALL"], "{service}");
        assert!(container.limits.memory_bytes.is_some(), "{service}");
        assert!(
            container.health.is_some() && container.logging.is_some(),
            "{service}"
        );
        // Only the proxy is reached from outside.
        assert_eq!(container.ports.is_empty(), service != PROXY, "{service}");
    }
    let server = definition.container(SERVER).unwrap();
    assert!(server.read_only && server.user.is_some());
}

#[test]
fn what_a_deployment_needs_must_be_defined() {
    let mut document = document();
    document["services"]
        .as_object_mut()
        .unwrap()
        .remove("caddy");
    assert!(matches!(
        read(&document),
        Err(DefinitionError::NoService { service: "caddy" })
    ));
}

#[test]
fn backing_services_start_after_what_they_need() {
    let mut document = document();
    document["services"]["caddy"]["depends_on"]["postgres"] =
        json!({"condition": "service_healthy"});
    let definition = read(&document).unwrap();
    assert_eq!(definition.backing(), ["postgres", "caddy"]);
}
