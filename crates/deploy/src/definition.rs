//! The definition of the containers: the project's compose file, as `docker compose config
//! --format json` resolves it.
//!
//! A key that is not known here is refused rather than ignored: whoever wrote it meant something
//! by it.

mod compose;
mod folders;
mod service;
mod translate;

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{environment::Environment, fingerprint::hexadecimal};

pub use self::{
    compose::{Compose, ComposeError},
    folders::BoundFolder,
    service::{
        Dependency, Deploy, HealthTest, LoggingConfig, NetworkUse, PortUse, Resources, SecretUse,
        Service, VolumeUse,
    },
};

/// All containers of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The project, which names of containers begin with.
    pub name: String,
    /// The containers.
    pub services: BTreeMap<String, Service>,
    /// Their networks.
    #[serde(default)]
    pub networks: BTreeMap<String, Named>,
    /// Their volumes.
    #[serde(default)]
    pub volumes: BTreeMap<String, Named>,
    /// Their secrets.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
}

/// A network or volume, with the name that the engine knows it by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    /// Its name in the engine.
    pub name: String,
    /// Compose writes it empty.
    pub ipam: BTreeMap<String, Value>,
    /// Whether a network has no way out.
    pub internal: bool,
}

/// Where a secret comes from: a key of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// Its name in the engine, which nothing here uses.
    #[serde(default)]
    pub name: String,
    /// The key.
    pub environment: String,
}

/// The definition cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// Not the expected document, or a key that is not supported.
    #[error("the compose file has something that a deployment does not support")]
    Unsupported(#[source] serde_json::Error),
    /// A service that a deployment needs is not defined.
    #[error("the compose file defines no service {service}")]
    NoService {
        /// Which one.
        service: &'static str,
    },
    /// A service mounts, joins or reads what is not defined.
    #[error("{service} uses {what}, which is not defined")]
    Undefined {
        /// Which service.
        service: String,
        /// What it uses.
        what: String,
    },
    /// A key that a secret comes from has no value.
    #[error("the environment has no {key}, which the secret {secret} comes from")]
    NoSecret {
        /// Which secret.
        secret: String,
        /// Which key.
        key: String,
    },
    /// A folder that is bound cannot be handed on.
    #[error("{service}: {folder} cannot be copied, {what}")]
    Folder {
        /// Which service.
        service: String,
        /// Which folder.
        folder: String,
        /// Why not.
        what: String,
    },
    /// A value that cannot be read.
    #[error("{service}: {what}")]
    Value {
        /// Which service.
        service: String,
        /// What cannot be read.
        what: String,
    },
}

/// The service that is deployed.
pub const SERVER: &str = "tria-server";
/// The database that is backed up.
pub const DATABASE: &str = "postgres";
/// The proxy.
pub const PROXY: &str = "caddy";

// === impl Definition ===

impl Definition {
    /// Reads what `docker compose config --format json` wrote.
    ///
    /// # Errors
    /// A key that is not supported, or a service that is missing.
    pub fn from_json(text: &str) -> Result<Self, DefinitionError> {
        let read = |text| {
            let mut document: Value = serde_json::from_str(text)?;
            plain(&mut document);
            serde_json::from_value(document)
        };
        let definition: Self = read(text).map_err(DefinitionError::Unsupported)?;
        for service in [SERVER, DATABASE, PROXY] {
            if !definition.services.contains_key(service) {
                return Err(DefinitionError::NoService { service });
            }
        }
        Ok(definition)
    }

    /// The service that is deployed.
    ///
    /// # Errors
    /// If it is not defined.
    pub fn server(&self) -> Result<&Service, DefinitionError> {
        self.services
            .get(SERVER)
            .ok_or(DefinitionError::NoService { service: SERVER })
    }

    /// The values of the environment that are handed out as secrets.
    pub fn secret_values<'a>(
        &'a self,
        environment: &'a Environment,
    ) -> impl Iterator<Item = &'a SecretString> {
        let sources = self.secrets.values();
        sources.filter_map(|source| environment.get(&source.environment))
    }

    /// The name of a backing service's container.
    pub fn container_name(&self, service: &str) -> String {
        format!("{}-{service}", self.name)
    }

    /// The volume with a backing service's secrets.
    pub(crate) fn secrets_volume_of(&self, service: &str) -> String {
        format!("{}-secrets-{service}", self.name)
    }

    /// A hash of a service's definition, by which a change is seen.
    pub(crate) fn hash_of(&self, service: &str) -> String {
        let mut service = self.services.get(service).cloned();
        // Where the tree lies here says nothing about what the service is.
        for usage in service.iter_mut().flat_map(|it| &mut it.volumes) {
            if usage.kind == "bind" {
                usage.source.clear();
            }
        }
        let written = serde_json::to_vec(&service).unwrap_or_default();
        hexadecimal(&Sha256::digest(written))[..16].to_owned()
    }

    /// The services that the server needs, in the order they start.
    pub fn backing(&self) -> Vec<&str> {
        let mut ordered: Vec<&str> = Vec::new();
        let mut waiting: Vec<&str> = self
            .services
            .keys()
            .map(String::as_str)
            .filter(|name| *name != SERVER)
            .collect();
        while !waiting.is_empty() {
            let ready = |name: &&str| {
                self.services[*name]
                    .depends_on
                    .keys()
                    .all(|needed| needed == SERVER || ordered.contains(&needed.as_str()))
            };
            // A circle is started in the order of names: compose has refused it already.
            let next = waiting.iter().position(ready).unwrap_or(0);
            ordered.push(waiting.remove(next));
        }
        ordered
    }
}

/// Takes away what compose adds to a resolved file: extensions, which are for reuse within the file
/// only, and the second `$` that it would take to keep the first from being resolved again.
fn plain(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("$$", "$"),
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::Object(fields) => {
            fields.retain(|key, _| !key.starts_with("x-"));
            fields.values_mut().for_each(plain);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
