//! Developer commands; one module per command, no logic of its own.

mod setup;
mod signals;
mod stack;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Commands for developing Tria; run them as `cargo xtask <command>`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install the private servers; changes nothing when all is there.
    Setup,
    /// Hold the shared test stack until Ctrl-C, for running `cargo test -p <crate>` beside it.
    Stack,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Setup => setup::run().map(|_| ExitCode::SUCCESS),
        Command::Stack => stack::run(),
    };
    done.unwrap_or_else(|error| {
        tell(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Says a line on standard error, which is what everything here has to say.
fn tell(line: &str) {
    use std::io::Write;

    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}
