//! `cargo xtask test --deploy`: deployments of the whole program on a real container engine.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use tria_devstack::{ContainerEngine, Progress, Workspace};

use super::{cargo_run, with_servers};
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

/// Where OpenSSH's server is: it wants to be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// What runs on an engine, as arguments for `cargo test`, and whether all of it needs an ssh server.
/// The whole program comes last, so that its table does.
const PARTS: [(&[&str], bool); 4] = [
    (
        &["-p", "tria-deploy", "--test", "remote", "--", "--ignored"],
        true,
    ),
    (&["-p", "xtask", "--test", "afar", "--", "--ignored"], true),
    (
        &[
            "-p",
            "tria-deploy",
            "--test",
            "docker",
            "--",
            "--ignored",
            "--test-threads",
            "1",
        ],
        false,
    ),
    (
        &[
            "-p",
            "tria-tests",
            "--test",
            "tria",
            "--",
            "--ignored",
            "--exact",
            "deployment::deployment",
            "--nocapture",
        ],
        false,
    ),
];

/// Runs everything that needs an engine, on one that is prepared.
pub(crate) fn run(engine: &ContainerEngine) -> Result<ExitCode> {
    setup::run()?;
    // The tests drive the programs as they are built here.
    cargo::run(&["build", "-p", "tria-server", "-p", "xtask"])?;
    let host = [("DOCKER_HOST".to_owned(), engine.host().to_owned())];
    let has_sshd = Path::new(SSHD).exists();
    if !has_sshd {
        tell("there is no OpenSSH server: what deploys from afar is not tested");
    }
    let runs: Vec<Vec<&str>> = PARTS
        .into_iter()
        .filter(|(_, needs_sshd)| has_sshd || !needs_sshd)
        .map(|(part, _)| {
            let afar: &[&str] = if has_sshd { &[] } else { &["--skip", "afar::"] };
            [&["test"], part, afar].concat()
        })
        .collect();
    with_servers(async |stop| {
        let mut ended = ExitCode::SUCCESS;
        for arguments in &runs {
            let ran = cargo_run(arguments, &host, stop).await?;
            if ran.code != ExitCode::SUCCESS {
                ended = ran.code;
            }
            if ran.signalled {
                break;
            }
        }
        Ok(ended)
    })
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
