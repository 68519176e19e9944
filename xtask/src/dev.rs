//! `cargo xtask dev`: the service on private servers whose data stay.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use tria_devstack::{Foreground, Stack, StackOptions, Workspace, port_or_free};

use crate::{cargo, environment, setup, signals::Stop, tell};

const PORT: u16 = 8003;

/// What fills the stores before the service starts. Each does nothing where nothing changed.
const FILLING: [(&str, &str); 3] = [
    ("migrate", "schema and collections"),
    ("seed", "products and outlets of data/catalogue"),
    (
        "ingest",
        "data/knowledge and the products, so that they are found",
    ),
];

#[derive(Args)]
pub(crate) struct Options {
    /// Remove the data of earlier runs first
    #[arg(long)]
    reset: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::run()?;
    let data = Workspace::current().dev_data();
    if options.reset {
        for folder in Stack::reset(&data)? {
            tell(&format!("removed {}", folder.display()));
        }
    }
    let server = cargo::build_server()?;
    tokio::runtime::Runtime::new()?.block_on(serve(&server, &data))
}

async fn serve(server: &Path, data: &Path) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let overrides = environment::service_keys();
    for key in overrides.keys() {
        tell(&format!("{key} is taken from the environment"));
    }
    let options = StackOptions {
        data_dir: Some(data.to_owned()),
        overrides,
    };
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        _ = stop.next() => return Ok(ExitCode::SUCCESS),
    };
    let code = with_stack(server, &stack, &mut stop).await;
    stack.stop().await;
    code
}

async fn with_stack(server: &Path, stack: &Stack, stop: &mut Stop) -> Result<ExitCode> {
    let mut env = stack.env();
    let port = port()?;
    env.push(("PORT".into(), port.to_string()));
    if stack.model.is_some() && !environment::has_chat_judge() {
        // It is so small that it only guesses.
        tell("the local model phrases answers and judges no messages (CHAT_JUDGE=false)");
        env.push(("CHAT_JUDGE".into(), "false".into()));
    }
    for (command, what) in FILLING {
        tell(&format!("tria-server {command}: {what}"));
        let filling = Foreground::start(server, &[command], &env, &[]).await?;
        let code = attend(filling, stop).await?;
        if code != 0 {
            tell(&format!("`tria-server {command}` ended with {code}"));
            return Ok(code.into());
        }
    }
    tell(&addresses(port));
    Ok(attend(
        Foreground::start(server, &["serve"], &env, &[]).await?,
        stop,
    )
    .await?
    .into())
}

/// Waits for the program's end and hands on what should end it.
async fn attend(mut program: Foreground, stop: &mut Stop) -> Result<u8> {
    loop {
        tokio::select! {
            code = program.wait() => return Ok(code?),
            signal = stop.next() => program.forward(signal),
        }
    }
}

fn port() -> Result<u16> {
    let wanted = environment::port()
        .map_or(Ok(PORT), |port| port.parse())
        .context("PORT is not a port number")?;
    let port = port_or_free(wanted)?;
    if port != wanted {
        tell(&format!("port {wanted} is taken; serving on {port}"));
    }
    Ok(port)
}

fn addresses(port: u16) -> String {
    let base = format!("http://127.0.0.1:{port}");
    let diagnostics = "api/v1/health/diagnostics";
    let probes = [
        "health",
        "livez",
        "readyz",
        "startupz",
        "metrics",
        diagnostics,
    ]
    .map(|path| format!("  curl -i {base}/{path}"));
    let probes = probes.join("\n");
    format!(
        "serving on {base} (Ctrl-C stops all)
  {base}/       to chat
  {base}/docs/  to read and try the API
ask it
  curl -s {base}/api/chatbot \\
    -H 'Content-Type: application/json' \\
    -H \"Idempotency-Key: test-$(date +%s)\" \\
    -d '{{\"message\":\"hello\",\"user_id\":\"test\"}}'
or how it is
{probes}"
    )
}
