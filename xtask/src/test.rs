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
    attend(&[arguments.to_vec()], &[])
}

/// Runs cargo once for each list of arguments, whatever came of those before, and gives the exit
/// code of the last that failed. After a signal nothing further begins.
fn attend(runs: &[Vec<&str>], env: &[(String, String)]) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut stop = Stop::listen()?;
        let servers = tokio::select! {
            servers = servers() => servers?,
            signal = stop.next() => return Ok(interrupted(signal)),
        };
        let mut ended = ExitCode::SUCCESS;
        for arguments in runs {
            let (code, signalled) = watch(arguments, env, &mut stop).await?;
            if code != ExitCode::SUCCESS {
                ended = code;
            }
            if signalled {
                break;
            }
        }
        if let Some((stack, published)) = servers {
            drop(published);
            stack.stop().await;
        }
        Ok(ended)
    })
}

/// Runs cargo to its end, and tells whether a signal came meanwhile, which it was given.
async fn watch(
    arguments: &[&str],
    env: &[(String, String)],
    stop: &mut Stop,
) -> Result<(ExitCode, bool)> {
    let mut tests = Foreground::start(
        environment::cargo(),
        arguments,
        env,
        &environment::of_our_own_run(),
    )
    .await?;
    let mut signalled = false;
    loop {
        tokio::select! {
            code = tests.wait() => return Ok((code?.into(), signalled)),
            signal = stop.next() => {
                signalled = true;
                tests.forward(signal);
            }
        }
    }
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
