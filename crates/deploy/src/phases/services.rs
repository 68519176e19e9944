//! What the service depends on: created or started if it is not there, else left alone.

use crate::{
    definition::Definition,
    engine::{ContainerState, Role},
    halt::Result,
    phases::Work,
    plan::DEFINITION_LABEL,
    session::Session,
};

pub(super) async fn ensure(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let definition = &work.desired.definition;
    for network in definition.networks.values() {
        session
            .world
            .engine
            .ensure_network(&network.name, network.internal)
            .await?;
    }
    for service in definition.backing() {
        session.checkpoint()?;
        ensure_one(session, work, service).await?;
    }
    for service in definition.backing() {
        session
            .wait_until_healthy(&definition.container_name(service))
            .await?;
    }
    session.reporter.step(format!(
        "{} run and are healthy",
        definition.backing().join(", ")
    ));
    Ok(())
}

async fn ensure_one(session: &Session<'_>, work: &Work<'_>, service: &str) -> Result<()> {
    let engine = &session.world.engine;
    let desired = work.desired;
    let definition = &desired.definition;
    let name = definition.container_name(service);
    let found = engine.container(&name).await?;
    hand_on_folders(session, work, service).await?;
    match found {
        Some(container) if container.state == ContainerState::Running => return Ok(()),
        Some(_) => {
            engine.start(&name).await?;
            session.reporter.step(format!("{service} started"));
            return Ok(());
        }
        None => {}
    }
    let mut spec = definition.container(service)?;
    spec.name = name;
    spec.role = Role::Backing;
    let hash = definition.hash_of(service);
    spec.labels.insert(DEFINITION_LABEL.into(), hash);
    engine.pull(&spec.image).await?;
    for mount in &spec.mounts {
        engine.ensure_volume(&mount.volume).await?;
    }
    let secrets = definition.secret_files(service, &desired.environment)?;
    if !secrets.is_empty() {
        let volume = definition.secrets_volume_of(service);
        engine.ensure_volume(&volume).await?;
        engine.write_files(&volume, &spec.image, &secrets).await?;
        spec.mounts.push(Definition::secrets_mount(&volume));
    }
    engine.create(&spec).await?;
    engine.start(&spec.name).await?;
    session.reporter.step(format!("{service} created"));
    Ok(())
}

/// Puts the files of folders that a service binds where its container finds them, also if it runs:
/// it takes them up when it is told to, as the proxy is at the switch.
async fn hand_on_folders(session: &Session<'_>, work: &Work<'_>, service: &str) -> Result<()> {
    let engine = &session.world.engine;
    let definition = &work.desired.definition;
    for folder in definition.bound_folders(service) {
        let files = folder.files()?;
        let image = &definition.container(service)?.image;
        engine.pull(image).await?;
        engine.ensure_volume(&folder.volume).await?;
        engine.write_files(&folder.volume, image, &files).await?;
    }
    Ok(())
}
