//! Writes files into a volume, by way of a container that is never started.

use std::io;

use bollard::{body_full, query_parameters::UploadToContainerOptions};
use secrecy::ExposeSecret;

use super::{DockerEngine, refused};
use crate::{
    engine::{ContainerSpec, Engine, EngineError, Mount, Purpose, Result, Role},
    secret::SecretFile,
};

/// Where the volume is mounted meanwhile.
const PLACE: &str = "/run/secrets";

/// Whoever mounts the volume may read it; nobody else can.
const MODE: u32 = 0o444;

pub(super) async fn write(
    engine: &DockerEngine,
    volume: &str,
    image: &str,
    files: &[SecretFile],
) -> Result<()> {
    let name = format!("{volume}-writer");
    let spec = ContainerSpec {
        name: name.clone(),
        // What is left of it after a sudden end goes with the other commands that run once.
        role: Role::OneShot(Purpose::Prune),
        image: image.to_owned(),
        mounts: vec![Mount {
            volume: volume.to_owned(),
            target: PLACE.into(),
            read_only: false,
        }],
        ..ContainerSpec::default()
    };
    engine.remove(&name).await?;
    engine.create(&spec).await?;
    let written = upload(engine, &name, files).await;
    engine.remove(&name).await?;
    written
}

async fn upload(engine: &DockerEngine, name: &str, files: &[SecretFile]) -> Result<()> {
    let archive = archive(files).map_err(|error| EngineError::Refused {
        action: "pack files".into(),
        source: error.into(),
    })?;
    let options = UploadToContainerOptions {
        path: PLACE.into(),
        ..UploadToContainerOptions::default()
    };
    let body = body_full(archive.into());
    let uploaded = engine
        .docker
        .upload_to_container(name, Some(options), body)
        .await;
    // Only the name: what was refused may be told, what was to be written not.
    uploaded.map_err(refused(format!("write files by {name}")))
}

fn archive(files: &[SecretFile]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let content = file.content.expose_secret().as_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(MODE);
        archive.append_data(&mut header, &file.name, content)?;
    }
    archive.into_inner()
}
