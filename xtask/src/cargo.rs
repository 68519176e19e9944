//! Running cargo.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail};
use tria_devstack::Workspace;

use crate::environment;

/// A cargo command at the workspace's root, its output going straight through.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(environment::cargo());
    command
        .args(arguments)
        .current_dir(Workspace::current().root());
    for key in environment::of_our_own_run() {
        command.env_remove(key);
    }
    command
}

/// Runs cargo to its end.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = command(arguments).status().context("cannot run cargo")?;
    if status.success() {
        return Ok(());
    }
    bail!("`cargo {}` ended with {status}", arguments.join(" "))
}

/// Runs cargo and gives what it printed on standard output.
pub(crate) fn output(arguments: &[&str]) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command(arguments).output().context("cannot run cargo")?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    bail!(
        "`cargo {}` ended with {status}\n{}",
        arguments.join(" "),
        said.trim()
    )
}

/// Builds the service and gives its path.
pub(crate) fn build_server() -> Result<PathBuf> {
    run(&["build", "-p", "tria-server"])?;
    Ok(server_in(Workspace::current().root()))
}

/// Where a build of the service is.
pub(crate) fn server_in(root: &Path) -> PathBuf {
    let target = environment::target_folder()
        .map_or_else(|| root.join("target"), |folder| root.join(folder));
    target.join("debug/tria-server")
}
