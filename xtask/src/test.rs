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
    if options.arguments.is_empty() {
        return with_servers(all);
    }
    let mut arguments = vec!["test"];
    arguments.extend(options.arguments.iter().map(String::as_str));
    beside_servers(&arguments)
}

/// Runs cargo beside the servers that tests and benches share.
pub(crate) fn beside_servers(arguments: &[&str]) -> Result<ExitCode> {
    with_servers(async |stop| Ok(cargo_run(arguments, &[], stop).await?.code))
}

/// How many targets that failed are tried again: where more do, it is no accident.
const TRIED_AGAIN: usize = 3;

/// Runs all tests. A machine that stands still for a minute fails those that measure time, and a
/// run of everything is long; so the few targets that failed run once more, alone. What passes then
/// is told as flaky, which is a fault of the test to be mended, and does not fail the run.
async fn all(stop: &mut Stop) -> Result<ExitCode> {
    let everything = ["test", "--workspace", "--no-fail-fast"];
    let unset = environment::of_our_own_run();
    let mut tests = Foreground::start_heard(environment::cargo(), &everything, &[], &unset).await?;
    let first = to_the_end(&mut tests, stop).await?;
    let targets = failed_targets(&tests.said().await);
    if first.signalled || targets.is_empty() || targets.len() > TRIED_AGAIN {
        return Ok(first.code);
    }
    tell(&format!("{} failed: once more, alone", targets.join(", ")));
    let mut still = Vec::new();
    for target in &targets {
        let arguments: Vec<&str> = ["test"].into_iter().chain(target.split(' ')).collect();
        let again = cargo_run(&arguments, &[], stop).await?;
        if again.code != ExitCode::SUCCESS {
            still.push(target.as_str());
        }
        if again.signalled {
            return Ok(first.code);
        }
    }
    if still.is_empty() {
        let flaky = targets.join(", ");
        tell(&format!(
            "FLAKY: {flaky} failed, and passed alone; above is why it failed"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    tell(&format!("failed twice: {}", still.join(", ")));
    Ok(first.code)
}

/// The arguments of the targets that cargo names at the end of a run, as in
/// `-p tria-check --test conformance`.
fn failed_targets(said: &str) -> Vec<String> {
    let lines: Vec<&str> = said.lines().collect();
    let heading =
        |line: &&str| line.ends_with("target failed:") || line.ends_with("targets failed:");
    let Some(at) = lines.iter().rposition(heading) else {
        return Vec::new();
    };
    let names = lines[at + 1..].iter().map_while(|line| {
        let name = line.trim().strip_prefix('`')?.strip_suffix('`')?;
        Some(name.to_owned())
    });
    names.collect()
}

/// What came of a run of cargo.
struct Ran {
    code: ExitCode,
    /// Whether a signal came meanwhile, which it was given.
    signalled: bool,
}

async fn cargo_run(arguments: &[&str], env: &[(String, String)], stop: &mut Stop) -> Result<Ran> {
    let unset = environment::of_our_own_run();
    let mut tests = Foreground::start(environment::cargo(), arguments, env, &unset).await?;
    to_the_end(&mut tests, stop).await
}

async fn to_the_end(tests: &mut Foreground, stop: &mut Stop) -> Result<Ran> {
    let mut signalled = false;
    loop {
        tokio::select! {
            code = tests.wait() => return Ok(Ran { code: code?.into(), signalled }),
            signal = stop.next() => {
                signalled = true;
                tests.forward(signal);
            }
        }
    }
}

/// Does the work beside the servers that tests share.
fn with_servers(work: impl AsyncFnOnce(&mut Stop) -> Result<ExitCode>) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut stop = Stop::listen()?;
        let servers = tokio::select! {
            servers = servers() => servers?,
            signal = stop.next() => return Ok(interrupted(signal)),
        };
        let done = work(&mut stop).await;
        if let Some((stack, published)) = servers {
            drop(published);
            stack.stop().await;
        }
        done
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_failed_is_read() {
        let said = "error: test failed, to rerun pass `-p a --lib`\n\
                    error: 2 targets failed:\n    `-p a --lib`\n    `-p b --test it`\n";
        assert_eq!(failed_targets(said), ["-p a --lib", "-p b --test it"]);
        let said = "error: 1 target failed:\n    `-p a --doc`\n";
        assert_eq!(failed_targets(said), ["-p a --doc"]);
        assert!(failed_targets("error: could not compile `a`\n").is_empty());
    }
}
