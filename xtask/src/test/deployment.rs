//! `cargo xtask test --deploy`: deployments of the whole program on a real container engine.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use tria_devstack::{ContainerEngine, Progress, Workspace};

use super::attend;
use crate::{cargo, environment, setup, tell};

/// Finds an engine, or starts a private one.
fn engine() -> Result<ContainerEngine> {
    let host = environment::docker_host();
    let engine = ContainerEngine::find_or_start(
        &Workspace::current(),
        host.as_deref(),
        &script("install.sh"),
        &Progress::on_stderr(),
    )?;
    Ok(engine)
}

/// An engine that has the images a deployment starts from.
pub(crate) fn prepared() -> Result<ContainerEngine> {
    let engine = engine()?;
    images(&engine)?;
    Ok(engine)
}

/// Runs the suite on an engine that is prepared.
pub(crate) fn run(engine: &ContainerEngine) -> Result<ExitCode> {
    setup::run()?;
    // The suite drives the programs as they are built here.
    cargo::run(&["build", "-p", "tria-server", "-p", "xtask"])?;
    let suite = [
        "test",
        "-p",
        "tria-tests",
        "--test",
        "tria",
        "--",
        "--ignored",
        "--exact",
        "deployment::deployment",
        "--nocapture",
    ];
    let host = [("DOCKER_HOST".to_owned(), engine.host().to_owned())];
    tokio::runtime::Runtime::new()?.block_on(attend(&suite, &host))
}

fn images(engine: &ContainerEngine) -> Result<()> {
    let started = Instant::now();
    let status = Command::new(script("images.sh"))
        .env("DOCKER_HOST", engine.host())
        .status()
        .context("cannot run the script for images")?;
    if !status.success() {
        bail!("the images of a deployment could not be had: {status}");
    }
    tell(&format!(
        "the images of a deployment are there ({:.1} s)",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn script(name: &str) -> PathBuf {
    Workspace::current().root().join("tests/engine").join(name)
}
