//! From a service of the compose file to a container.

use std::{collections::BTreeMap, path::Path, time::Duration};

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Definition, DefinitionError, HealthTest, PortUse, SERVER, Service, VolumeUse};
use crate::{
    engine::{ContainerSpec, HealthProbe, Limits, Logging, Mount, Port, Role},
    environment::Environment,
    secret::SecretFile,
};

/// Where a container finds its secrets.
const SECRETS: &str = "/run/secrets";

impl Definition {
    /// The container of a service, without name, secrets and release.
    ///
    /// # Errors
    /// What it uses is not defined, or a value cannot be read.
    pub fn container(&self, name: &str) -> Result<ContainerSpec, DefinitionError> {
        let Some(service) = self.services.get(name) else {
            return Err(DefinitionError::NoService { service: SERVER });
        };
        let told = Told { name };
        let mut networks = BTreeMap::new();
        for (network, usage) in &service.networks {
            let Some(known) = self.networks.get(network) else {
                return Err(told.undefined(format!("the network {network}")));
            };
            let mut aliases = usage.clone().unwrap_or_default().aliases;
            // Its own name, as compose gives it; releases of the server are told apart instead.
            if name != SERVER {
                aliases.push(name.to_owned());
            }
            networks.insert(known.name.clone(), aliases);
        }
        let unknown = service
            .security_opt
            .iter()
            .find(|option| *option != "no-new-privileges:true");
        if let Some(option) = unknown {
            return Err(told.value(format!("security_opt {option} is not supported")));
        }
        let environment = service
            .environment
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
        Ok(ContainerSpec {
            role: if name == SERVER {
                Role::Server
            } else {
                Role::Backing
            },
            image: service.image.clone().unwrap_or_default(),
            entrypoint: service.entrypoint.clone(),
            command: service.command.clone(),
            environment: environment.collect(),
            mounts: self.mounts(told, service)?,
            networks,
            ports: collected(service.ports.iter().map(|port| told.port(port)))?,
            health: service
                .healthcheck
                .as_ref()
                .map(|test| told.health(test))
                .transpose()?,
            restart: told.restart(service)?,
            limits: told.limits(service)?,
            cap_drop: service.cap_drop.clone(),
            cap_add: service.cap_add.clone(),
            no_new_privileges: !service.security_opt.is_empty(),
            read_only: service.read_only,
            tmpfs: service.tmpfs.clone(),
            user: service.user.clone(),
            init: service.init,
            stop_grace: told.duration(service.stop_grace_period.as_deref())?,
            logging: service.logging.as_ref().map(|logging| Logging {
                driver: logging.driver.clone(),
                options: logging.options.clone(),
            }),
            labels: service.labels.clone(),
            ..ContainerSpec::default()
        })
    }

    /// The files of a service's secrets.
    ///
    /// # Errors
    /// A secret that is not defined, or has no value.
    pub fn secret_files(
        &self,
        name: &str,
        environment: &Environment,
    ) -> Result<Vec<SecretFile>, DefinitionError> {
        let uses = self.services.get(name).map(|service| &service.secrets);
        let file = |usage: &super::SecretUse| {
            let Some(source) = self.secrets.get(&usage.source) else {
                let what = format!("the secret {}", usage.source);
                return Err(Told { name }.undefined(what));
            };
            let target = usage.target.as_deref().unwrap_or(&usage.source);
            let file = Path::new(target).strip_prefix(SECRETS);
            let file = file.unwrap_or(Path::new(target));
            if file.is_absolute() || file.components().count() != 1 {
                let what = format!("the secret {} must be a file in {SECRETS}", usage.source);
                return Err(Told { name }.value(what));
            }
            let Some(content) = environment.get(&source.environment) else {
                return Err(DefinitionError::NoSecret {
                    secret: usage.source.clone(),
                    key: source.environment.clone(),
                });
            };
            Ok(SecretFile {
                name: file.to_string_lossy().into_owned(),
                content: content.clone(),
            })
        };
        collected(uses.into_iter().flatten().map(file))
    }

    /// The environment as the service will see it: what its definition sets, with the values of
    /// secrets in the place of their files; if one has no value, with the files.
    ///
    /// # Errors
    /// A secret that is not defined.
    pub fn seen_environment(
        &self,
        name: &str,
        environment: &Environment,
    ) -> Result<Environment, DefinitionError> {
        let files = match self.secret_files(name, environment) {
            // A plan can be made all the same; the deployment refuses it in its own phase.
            Err(DefinitionError::NoSecret { .. }) => Vec::new(),
            files => files?,
        };
        let set = self.container(name)?.environment;
        let resolved = set.into_iter().map(|(key, value)| {
            let file = value
                .strip_prefix(SECRETS)
                .map(|rest| rest.trim_start_matches('/'));
            let file = files.iter().find(|known| file == Some(known.name.as_str()));
            match (key.strip_suffix("_FILE"), file) {
                (Some(key), Some(file)) => {
                    (key.to_owned(), file.content.expose_secret().to_owned())
                }
                _ => (key, value),
            }
        });
        Ok(resolved.collect())
    }

    /// The mount of a volume with secrets.
    pub(crate) fn secrets_mount(volume: &str) -> Mount {
        Mount {
            volume: volume.to_owned(),
            target: SECRETS.into(),
            read_only: true,
        }
    }

    fn mounts(&self, told: Told<'_>, service: &Service) -> Result<Vec<Mount>, DefinitionError> {
        let mount = |usage: &VolumeUse| {
            let volume = match usage.kind.as_str() {
                "bind" => {
                    told.bound(usage)?;
                    self.files_volume_of(told.name, &usage.target)
                }
                "volume" => match self.volumes.get(&usage.source) {
                    Some(known) => known.name.clone(),
                    None => return Err(told.undefined(format!("the volume {}", usage.source))),
                },
                kind => return Err(told.value(format!("a mount of type {kind} is not supported"))),
            };
            Ok(Mount {
                volume,
                target: usage.target.clone(),
                read_only: usage.read_only,
            })
        };
        collected(service.volumes.iter().map(mount))
    }
}

/// Whom an error is about.
#[derive(Clone, Copy)]
struct Told<'a> {
    name: &'a str,
}

impl Told<'_> {
    /// Whether a folder of ours can be handed on by copying it.
    fn bound(self, usage: &VolumeUse) -> Result<(), DefinitionError> {
        let source = &usage.source;
        if self.name == SERVER {
            // Releases beside each other would share it.
            return Err(self.value(format!("{source} is bound; put it into the image")));
        }
        if !usage.read_only {
            let what = format!("{source} is copied, so that it must be bound read-only");
            return Err(self.value(what));
        }
        Ok(())
    }

    fn undefined(self, what: String) -> DefinitionError {
        DefinitionError::Undefined {
            service: self.name.to_owned(),
            what,
        }
    }

    fn value(self, what: String) -> DefinitionError {
        DefinitionError::Value {
            service: self.name.to_owned(),
            what,
        }
    }

    fn duration(self, text: Option<&str>) -> Result<Option<Duration>, DefinitionError> {
        let read = |text: &str| {
            humantime::parse_duration(text)
                .map_err(|_| self.value(format!("{text} is not a duration")))
        };
        text.map(read).transpose()
    }

    fn restart(self, service: &Service) -> Result<bool, DefinitionError> {
        match service.restart.as_deref() {
            None | Some("no") => Ok(false),
            Some("unless-stopped") => Ok(true),
            Some(other) => Err(self.value(format!("restart {other} is not supported"))),
        }
    }

    fn port(self, usage: &PortUse) -> Result<Port, DefinitionError> {
        let published = usage.published.parse();
        let published =
            published.map_err(|_| self.value(format!("{} is not a port", usage.published)))?;
        Ok(Port {
            host_ip: usage.host_ip.clone(),
            published,
            target: usage.target,
            udp: usage.protocol.as_deref() == Some("udp"),
        })
    }

    fn health(self, test: &HealthTest) -> Result<HealthProbe, DefinitionError> {
        let or = |text: &Option<String>, seconds| {
            let read = self.duration(text.as_deref())?;
            Ok(read.unwrap_or(Duration::from_secs(seconds)))
        };
        Ok(HealthProbe {
            test: test.test.clone(),
            interval: or(&test.interval, 30)?,
            timeout: or(&test.timeout, 30)?,
            retries: test.retries.unwrap_or(3),
            start_period: or(&test.start_period, 0)?,
        })
    }

    fn limits(self, service: &Service) -> Result<Limits, DefinitionError> {
        let mut limits = Limits {
            pids: service.pids_limit,
            ..Limits::default()
        };
        let resources = service
            .deploy
            .as_ref()
            .and_then(|deploy| deploy.resources.as_ref());
        for (key, value) in resources
            .into_iter()
            .flat_map(|resources| &resources.limits)
        {
            let bad = || self.value(format!("the limit {key} cannot be read"));
            match key.as_str() {
                "memory" => limits.memory_bytes = Some(whole(value).ok_or_else(bad)?),
                "pids" => limits.pids = Some(whole(value).ok_or_else(bad)?),
                "cpus" => limits.cpu_millis = Some(thousandths(value).ok_or_else(bad)?),
                _ => return Err(self.value(format!("the limit {key} is not supported"))),
            }
        }
        Ok(limits)
    }
}

/// Compose writes numbers as numbers or as texts, by version.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of processors is small and not negative; what is not is refused"
)]
fn thousandths(value: &Value) -> Option<u64> {
    let cpus = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    (0.0..10_000.0)
        .contains(&cpus)
        .then(|| (cpus * 1000.0).round() as u64)
}

fn collected<T>(
    items: impl Iterator<Item = Result<T, DefinitionError>>,
) -> Result<Vec<T>, DefinitionError> {
    items.collect()
}
