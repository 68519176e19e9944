//! `cargo xtask logs`: what a container wrote.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use tria_deploy::{definition::SERVER, state::State};

use crate::deployment::{self, Installation, Shared, say};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// Whose, as in caddy; by default the release that serves
    service: Option<String>,
    /// How many of the last lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: usize,
    /// Go on with what comes
    #[arg(long, conflicts_with = "json")]
    follow: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    deployment::look(&arguments.shared, async |installation| {
        let container = container(arguments, installation).await?;
        if arguments.shared.json {
            let engine = &installation.world.engine;
            let output = engine.logs(&container, arguments.lines).await?;
            for line in output.stdout.lines().chain(output.stderr.lines()) {
                let line = json!({"container": container, "line": line});
                say(true, &line, String::new)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut command = Command::new("docker");
        command
            .env("DOCKER_HOST", format!("unix://{}", installation.socket))
            .args(["logs", "--tail", &arguments.lines.to_string()])
            .stdin(Stdio::null());
        if arguments.follow {
            command.arg("--follow");
        }
        let status = command.arg(&container).status();
        let code = status.context("`docker` cannot be run")?.code();
        Ok(code
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1)
            .into())
    })
}

async fn container(arguments: &Arguments, installation: &Installation) -> Result<String> {
    let definition = &installation.definition;
    let service = arguments.service.as_deref().unwrap_or(SERVER);
    if service == SERVER {
        let state = State::read(&*installation.world.store).await?;
        let Some(current) = state.current else {
            bail!("nothing is deployed yet; `cargo xtask deploy`");
        };
        return Ok(current.name().to_owned());
    }
    // A release that was refused is looked at by the name of its container.
    let name = definition.container_name(service);
    let known = installation.world.engine.containers().await?;
    let found = known
        .iter()
        .find(|it| it.name == name || it.name == service);
    if let Some(found) = found {
        return Ok(found.name.clone());
    }
    let names: Vec<&str> = known.iter().map(|it| it.name.as_str()).collect();
    bail!("there is no {service}; there are {}", names.join(", "))
}
