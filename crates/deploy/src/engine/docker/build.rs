//! Builds an image through the `docker` command.

use std::{collections::HashMap, process::Stdio};

use tokio::process::Command;

use crate::engine::{BuildSpec, EngineError, ImageId, Result};

/// The last lines of a build's output that are told when it failed.
const TAIL: usize = 25;

pub(super) async fn build(
    socket: &str,
    spec: &BuildSpec,
    ours: &HashMap<String, String>,
) -> Result<ImageId> {
    let mut command = Command::new("docker");
    command
        .env("DOCKER_HOST", format!("unix://{socket}"))
        .env("DOCKER_BUILDKIT", "1")
        .args(["build", "--progress", "plain", "--tag", &spec.reference])
        .arg("--file")
        .arg(spec.context.join(&spec.dockerfile));
    for (key, value) in &spec.arguments {
        command.arg("--build-arg").arg(format!("{key}={value}"));
    }
    for (key, value) in spec.labels.iter().chain(ours) {
        command.arg("--label").arg(format!("{key}={value}"));
    }
    if spec.no_cache {
        command.arg("--no-cache");
    }
    // Ended with us, or with a build that nobody waits for any more.
    command
        .arg(&spec.context)
        .stdin(Stdio::null())
        // Ctrl-C is for us: whether the build goes on is not the terminal's to say.
        .process_group(0)
        .kill_on_drop(true);
    let output = command
        .output()
        .await
        .map_err(|error| refused(error.into()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        return Err(refused(tail.into()));
    }
    identity(socket, &spec.reference).await
}

/// The identity behind a name, right after it was built.
async fn identity(socket: &str, reference: &str) -> Result<ImageId> {
    let output = Command::new("docker")
        .env("DOCKER_HOST", format!("unix://{socket}"))
        .args(["image", "inspect", "--format", "{{.Id}}", reference])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| refused(error.into()))?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if id.is_empty() {
        return Err(EngineError::Missing {
            what: reference.to_owned(),
        });
    }
    Ok(ImageId::new(id))
}

fn refused(source: crate::engine::BoxError) -> EngineError {
    EngineError::Refused {
        action: "build the image".into(),
        source,
    }
}
