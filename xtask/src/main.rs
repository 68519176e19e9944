//! Developer commands; one module per command.

mod bench;
mod cargo;
mod ci;
mod dev;
mod environment;
mod setup;
mod signals;
mod stack;
mod test;
mod tidy;

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
    /// Everything that must be green: format, lints, rules, documents, each crate alone, tests
    Ci,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Setup => setup::run().map(|_| ExitCode::SUCCESS),
        Command::Dev(options) => dev::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Stack => stack::run(),
        Command::Tidy => tidy::run(),
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
