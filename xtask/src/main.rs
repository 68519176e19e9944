//! Developer commands; one module per command.

mod backup;
mod bench;
mod cargo;
mod ci;
mod deploy;
mod deployment;
mod dev;
mod environment;
mod init;
mod logs;
mod person;
mod restore;
mod rollback;
mod setup;
mod signals;
mod stack;
mod status;
mod test;
mod tidy;
mod verify;

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

/// Commands for developing Tria.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install the private servers; changes nothing when all is there
    Setup,
    /// Run the service on private servers whose data stay; Ctrl-C stops all
    Dev(dev::Options),
    /// Run all tests against real servers, or `cargo test` with the arguments given
    Test(test::Options),
    /// Run the benches, or one of them, on a release build
    Bench(bench::Options),
    /// Hold the servers that tests share, for running `cargo test -p <crate>` beside it
    Stack,
    /// Check the rules of the house: imports, sizes, lints, documents
    Tidy,
    /// Write the file with settings and secrets of a deployment
    Init(init::Arguments),
    /// Put the tree into service without downtime; what fails is undone
    Deploy(deploy::Arguments),
    /// Go back to the release before
    Rollback(rollback::Arguments),
    /// Make a backup, and prove it by restoring it
    Backup(backup::Arguments),
    /// Put a backup in the place of the database, or list the backups
    Restore(restore::Arguments),
    /// Say what serves, what runs and what is kept
    Status(status::Arguments),
    /// Run ten checks on what serves
    Verify(verify::Arguments),
    /// Show what a container wrote
    Logs(logs::Arguments),
    /// Everything that must be green: format, lints, rules, documents, each crate alone, tests
    Ci,
}

fn main() -> ExitCode {
    // One provider for all that speaks TLS here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match Arguments::parse().command {
        Command::Setup => setup::run().map(|_| ExitCode::SUCCESS),
        Command::Dev(options) => dev::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Stack => stack::run(),
        Command::Tidy => tidy::run(),
        Command::Init(arguments) => Ok(init::run(&arguments)),
        Command::Deploy(arguments) => deploy::run(&arguments),
        Command::Rollback(arguments) => rollback::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Ci => ci::run(),
    };
    done.unwrap_or_else(|error| {
        tell(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Says a line on standard error, which keeps standard output for the programs we run.
fn tell(line: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use clap::CommandFactory;

    use super::*;

    /// What an operator can type stands in the guide, and nothing is told of that cannot be typed.
    #[test]
    fn the_guide_knows_the_commands_about_deployments_with_their_options() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deployment.md");
        let guide = fs::read_to_string(path).unwrap();
        let commands = Arguments::command();
        // `seed` and `ingest` are the service's.
        let mut known = vec!["--data".to_owned()];
        for name in [
            "init", "deploy", "rollback", "backup", "restore", "status", "verify", "logs",
        ] {
            assert!(guide.contains(&format!("cargo xtask {name}")), "{name}");
            let command = commands.find_subcommand(name).unwrap();
            for option in command.get_arguments().filter_map(|it| it.get_long()) {
                let option = format!("--{option}");
                // What `init` asks for on a terminal is told by its help.
                assert!(
                    name == "init" || option == "--help" || guide.contains(&option),
                    "{name} {option}"
                );
                known.push(option);
            }
        }
        let told = guide
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'))
            .filter(|word| {
                word.strip_prefix("--")
                    .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('-'))
            });
        for option in told {
            assert!(known.iter().any(|it| it == option), "{option}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
