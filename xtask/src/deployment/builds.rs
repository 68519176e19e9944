//! The judge of the environment: the service's program, built from the tree when it is needed.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use async_trait::async_trait;
use tria_deploy::{
    Environment,
    judge::{Judge, ServerJudge},
};

use crate::cargo;

/// Judges with the program that was given, or builds it first. A deployment that changes nothing
/// never asks, and so builds nothing.
pub(crate) struct ServerOfTheTree {
    repository: PathBuf,
    given: Option<PathBuf>,
}

// === impl ServerOfTheTree ===

impl ServerOfTheTree {
    pub(crate) fn new(repository: &Path, given: Option<PathBuf>) -> Self {
        Self {
            repository: repository.to_owned(),
            given,
        }
    }

    async fn build(&self) -> Result<PathBuf, String> {
        let mut command = cargo::command(&["build", "--quiet", "--locked", "-p", "tria-server"]);
        command.current_dir(&self.repository);
        let output = tokio::process::Command::from(command)
            .stdin(Stdio::null())
            // Ctrl-C is for us, who end it if we end.
            .process_group(0)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(cargo::server_in(&self.repository));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("tria-server could not be built:\n{}", said.trim()))
    }
}

#[async_trait]
impl Judge for ServerOfTheTree {
    async fn violations(&self, environment: &Environment) -> Result<Vec<String>, String> {
        let program = match &self.given {
            Some(program) => program.clone(),
            None => self.build().await?,
        };
        ServerJudge::new(program).violations(environment).await
    }
}
