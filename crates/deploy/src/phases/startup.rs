//! Phase 5: migrations once, then the new release beside the old one.

use std::collections::BTreeSet;

use crate::{
    definition::{Definition, SERVER},
    engine::{ContainerSpec, Purpose, Role},
    halt::{Halt, Result},
    journal::Record,
    migration::newest,
    phases::Work,
    probe::StartupReport,
    release::Release,
    session::{Session, failed_command},
    sweep::secrets_volume,
};

pub(super) async fn run(session: &mut Session<'_>, work: &mut Work<'_>) -> Result<()> {
    let release = release(session, work)?;
    // Before anything of it is made, so that all of it can be found.
    session
        .note(Record::Candidate {
            release: Box::new(release.clone()),
        })
        .await?;
    secrets(session, work, &release).await?;
    migrate(session, &release).await?;
    session.checkpoint()?;
    session.world.engine.create(&release.container).await?;
    session.world.engine.start(release.name()).await?;
    session
        .reporter
        .step(format!("{} started beside the old release", release.name()));
    watch(session, &release).await?;
    work.candidate = Some(release);
    Ok(())
}

fn release(session: &Session<'_>, work: &Work<'_>) -> Result<Release> {
    let Some(image) = work.image.clone() else {
        return Err(missing("the image"));
    };
    let desired = work.desired;
    let secrets_volume = secrets_volume(session.project, work.number);
    let mut container = desired.definition.container(SERVER)?;
    container.name = format!("{}-server-{}", session.project, work.number);
    container.release = Some(work.number);
    image.as_str().clone_into(&mut container.image);
    container
        .mounts
        .push(Definition::secrets_mount(&secrets_volume));
    Ok(Release {
        number: work.number,
        fingerprint: work.fingerprint.clone(),
        commit: desired.commit.clone(),
        image,
        container,
        secrets_volume,
        migrations: desired.migrations.clone(),
        backup: work.backup.clone(),
        at: session.world.clock.now(),
    })
}

async fn secrets(session: &Session<'_>, work: &Work<'_>, release: &Release) -> Result<()> {
    let desired = work.desired;
    let files = desired
        .definition
        .secret_files(SERVER, &desired.environment)?;
    let engine = &session.world.engine;
    engine.ensure_volume(&release.secrets_volume).await?;
    engine
        .write_files(&release.secrets_volume, release.image.as_str(), &files)
        .await?;
    Ok(())
}

/// A program that lacks what its tree has would find nothing to do.
fn migration_of(release: &Release) -> Vec<String> {
    let mut command = vec!["migrate".to_owned()];
    if let Some(newest) = newest(&release.migrations) {
        command.extend(["--expect".to_owned(), newest.to_string()]);
    }
    command
}

async fn migrate(session: &mut Session<'_>, release: &Release) -> Result<()> {
    let spec = ContainerSpec {
        name: format!("{}-migrate-{}", session.project, release.number),
        role: Role::OneShot(Purpose::Migrate),
        command: Some(migration_of(release)),
        ports: Vec::new(),
        health: None,
        restart: false,
        ..release.container.clone()
    };
    let output = session.run_once(&spec).await?;
    if !output.is_success() {
        return Err(failed_command(
            "migration",
            "the migration",
            &output,
            "correct the migration; each runs in a transaction, so that a failed one left nothing",
        ));
    }
    session.reporter.step("The schema is up to date");
    Ok(())
}

/// Waits until the release says that its start is complete, the engine says that it is healthy,
/// and it runs the image that was meant.
async fn watch(session: &Session<'_>, release: &Release) -> Result<()> {
    let name = release.name();
    let mut told = BTreeSet::new();
    let mut awaited = String::new();
    loop {
        session.checkpoint()?;
        let healthy = session.is_healthy_now(name).await?;
        let report = session.world.probe.startup(name).await.unwrap_or_default();
        for phase in &report.phases {
            if phase.passed.is_some() && told.insert(phase.title.clone()) {
                let text = format!("{}: {}", phase.title, phase.text);
                if phase.passed == Some(true) {
                    session.reporter.note(text);
                } else {
                    session.reporter.warn(text);
                }
            }
        }
        if healthy && report.complete {
            break;
        }
        tell_wait(session, &report, &mut awaited);
        session.pause().await?;
    }
    let running = session.world.engine.container(name).await?;
    if running.is_none_or(|container| container.image != release.image) {
        return Err(Halt::new(
            "wrong_image",
            format!("{name} does not run the image that was built"),
            "somebody replaced it; deploy again",
        ));
    }
    session
        .reporter
        .step(format!("{name} is complete and healthy"));
    Ok(())
}

/// Says what a start waits for, whenever that changes: who sees a deadline pass must know why.
fn tell_wait(session: &Session<'_>, report: &StartupReport, awaited: &mut String) {
    let pending = report.phases.iter().find(|phase| phase.passed.is_none());
    let waits_for = match pending {
        Some(phase) if phase.text.is_empty() => format!("waiting for {}", phase.title),
        Some(phase) => format!("waiting for {}: {}", phase.title, phase.text),
        None if report.phases.is_empty() => "waiting for an answer of /startupz".to_owned(),
        None => "waiting until the engine finds it healthy".to_owned(),
    };
    if *awaited != waits_for {
        session.reporter.note(&waits_for);
        *awaited = waits_for;
    }
}

fn missing(what: &str) -> Halt {
    Halt::new(
        "bug",
        format!("{what} of an earlier phase is missing"),
        "this is a bug; please tell us",
    )
}
