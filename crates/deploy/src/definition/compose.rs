//! The definition, as compose itself resolves it.

use std::{io, path::Path, process::Stdio};

use tokio::process::Command;

use super::{Definition, DefinitionError};
use crate::{environment::Environment, secret::Scrubber};

/// What compose is asked with.
#[derive(Clone, Debug)]
pub struct Compose<'a> {
    /// The compose file.
    pub file: &'a Path,
    /// The file of the environment.
    pub env_file: &'a Path,
    /// What is in it: what compose says is told without these values.
    pub environment: &'a Environment,
    /// The project; as the compose file says if none is named.
    pub project: Option<&'a str>,
    /// The whole environment of the command, as `PATH`. Nothing else may change what the files say.
    pub inherited: &'a [(String, String)],
}

/// Compose did not resolve the definition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// The command cannot be run.
    #[error("`docker compose` cannot be run")]
    NoCommand(#[source] io::Error),
    /// It said no.
    #[error("`docker compose config` refused the definition: {said}")]
    Refused {
        /// What it said.
        said: String,
    },
    /// What it wrote cannot be used.
    #[error("the definition cannot be used")]
    Definition(#[from] DefinitionError),
}

// === impl Compose ===

impl Compose<'_> {
    /// Asks compose. No value of a secret is in what it writes: it names their keys.
    ///
    /// # Errors
    /// If compose is not there, refuses the files, or they have what a deployment does not support.
    pub async fn resolve(&self) -> Result<Definition, ComposeError> {
        let mut command = Command::new("docker");
        command
            .env_clear()
            .envs(self.inherited.iter().map(|(key, value)| (key, value)))
            .arg("compose")
            .arg("--file")
            .arg(self.file)
            .arg("--env-file")
            .arg(self.env_file);
        if let Some(project) = self.project {
            command.args(["--project-name", project]);
        }
        let output = command
            .args(["config", "--format", "json"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(ComposeError::NoCommand)?;
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            return Ok(Definition::from_json(&text)?);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let values = self.environment.iter().map(|(_, value)| value);
        Err(ComposeError::Refused {
            said: Scrubber::new(values).scrub(said.trim()),
        })
    }
}
