//! What is backed up, and by which containers.

use std::{collections::BTreeMap, path::Path};

use super::scripts;
use crate::{
    definition::{DATABASE, Definition, DefinitionError, PROXY},
    engine::{ContainerSpec, Mount, Purpose, Role},
};

/// The database of a definition, and the volumes beside it.
#[derive(Clone, Debug)]
pub struct BackupSource {
    project: String,
    image: String,
    networks: BTreeMap<String, Vec<String>>,
    user: String,
    database: String,
    /// The file with the password, in the folder of secrets.
    password_file: String,
    secrets_volume: String,
    pub(super) backups_volume: String,
    /// Volumes of other services, by the name that they are known by.
    volumes: Vec<String>,
}

/// Where the commands find the backups.
const BACKUPS: &str = "/backups";

// === impl BackupSource ===

impl BackupSource {
    /// The database of a definition.
    ///
    /// # Errors
    /// If it does not say who may read which database, and where the password is.
    pub fn of(definition: &Definition) -> Result<Self, DefinitionError> {
        let database = definition.container(DATABASE)?;
        let value = |key: &str| {
            database
                .environment
                .get(key)
                .cloned()
                .ok_or_else(|| DefinitionError::Value {
                    service: DATABASE.into(),
                    what: format!("{key} is not set"),
                })
        };
        let password_file = value("POSTGRES_PASSWORD_FILE")?;
        let mut volumes = Vec::new();
        for service in definition.backing() {
            if [DATABASE, PROXY].contains(&service) {
                continue;
            }
            // What a service cannot write has nothing of its own.
            let mounts = definition.container(service)?.mounts;
            let written = mounts.into_iter().filter(|mount| !mount.read_only);
            volumes.extend(written.map(|mount| mount.volume));
        }
        Ok(Self {
            project: definition.name.clone(),
            user: value("POSTGRES_USER")?,
            database: value("POSTGRES_DB")?,
            password_file,
            secrets_volume: definition.secrets_volume_of(DATABASE),
            backups_volume: format!("{}-backups", definition.name),
            image: database.image,
            // Its own aliases are the database's, and nobody else's.
            networks: database
                .networks
                .into_keys()
                .map(|network| (network, Vec::new()))
                .collect(),
            volumes,
        })
    }

    /// A command on a backup; the database's own image has the client that fits it.
    pub(super) fn one_shot(&self, purpose: Purpose, id: &str) -> ContainerSpec {
        let mount = |volume: &str, target: String, read_only| Mount {
            volume: volume.to_owned(),
            target,
            read_only,
        };
        // Whoever proves a backup cannot write it, nor reach the live database.
        let proves = purpose == Purpose::Prove;
        let mut mounts = vec![mount(&self.backups_volume, BACKUPS.into(), proves)];
        if !proves {
            mounts.push(Definition::secrets_mount(&self.secrets_volume));
        }
        if purpose == Purpose::Dump {
            for volume in &self.volumes {
                mounts.push(mount(volume, format!("/volumes/{volume}"), true));
            }
        }
        let (name, script) = match purpose {
            Purpose::Prove => ("prove", scripts::PROVE),
            Purpose::Restore => ("restore", scripts::RESTORE),
            Purpose::Count => ("count", scripts::COUNT),
            Purpose::Prune => ("prune", scripts::PRUNE),
            Purpose::Dump | Purpose::Migrate => ("dump", scripts::DUMP),
        };
        let folder = Path::new(&self.password_file);
        ContainerSpec {
            name: format!("{}-{name}-{}", self.project, id.to_lowercase()),
            role: Role::OneShot(purpose),
            image: self.image.clone(),
            entrypoint: Some(vec!["sh".into(), "-euc".into()]),
            command: Some(vec![script.into()]),
            environment: BTreeMap::from([
                ("BACKUP".into(), id.to_owned()),
                ("DATABASE".into(), self.database.clone()),
                ("DATABASE_HOST".into(), DATABASE.into()),
                ("DATABASE_USER".into(), self.user.clone()),
                (
                    "PASSWORD_FILE".into(),
                    folder.to_string_lossy().into_owned(),
                ),
            ]),
            mounts,
            networks: if proves || purpose == Purpose::Prune {
                BTreeMap::new()
            } else {
                self.networks.clone()
            },
            no_new_privileges: true,
            ..ContainerSpec::default()
        }
    }
}
