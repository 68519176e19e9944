//! `cargo xtask test`: the tests, against servers they share.

pub(crate) mod deployment;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tria_devstack::{Foreground, Published, SharedStack, Stack, StackOptions, Workspace, publish};

use crate::{cargo, environment, setup, signals::Stop, tell};

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Run the deployments of the whole program on a container engine, and nothing else
    #[arg(long)]
    deploy: bool,
    /// Arguments for `cargo test`, as in `-p tria-check`; without any, all tests run
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENT"
    )]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.deploy {
        return deployment::run(&deployment::prepared()?);
    }
    setup::run()?;
    cargo::build_server()?;
    let mut arguments = vec!["test"];
    arguments.extend(options.arguments.iter().map(String::as_str));
    if options.arguments.is_empty() {
        arguments.extend(["--workspace", "--no-fail-fast"]);
    }
    beside_servers(&arguments)
}

/// Runs cargo beside the servers that tests and benches share.
pub(crate) fn beside_servers(arguments: &[&str]) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(attend(arguments, &[]))
}

async fn attend(arguments: &[&str], env: &[(String, String)]) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let servers = tokio::select! {
        servers = servers() => servers?,
        signal = stop.next() => return Ok(interrupted(signal)),
    };
    let mut tests = Foreground::start(
        environment::cargo(),
        arguments,
        env,
        &environment::of_our_own_run(),
    )
    .await?;
    let code = loop {
        tokio::select! {
            code = tests.wait() => break code?,
            signal = stop.next() => tests.forward(signal),
        }
    };
    if let Some((stack, published)) = servers {
        drop(published);
        stack.stop().await;
    }
    Ok(code.into())
}

/// The stack we hold, or none when somebody else holds one.
async fn servers() -> Result<Option<(Stack, Published)>> {
    let workspace = Workspace::current();
    if let Ok(running) = SharedStack::find(&workspace).await {
        tell(&format!(
            "using the test stack that process {} holds",
            running.owner()
        ));
        return Ok(None);
    }
    let stack = Stack::start(StackOptions::default()).await?;
    let published = publish(&workspace, &stack)?;
    Ok(Some((stack, published)))
}

fn interrupted(signal: i32) -> ExitCode {
    u8::try_from(128 + signal).unwrap_or(1).into()
}
