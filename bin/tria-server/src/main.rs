//! The service: it proves its dependencies, serves, and stops.
//!
//! `main` reads as the story of the process: signals first, so that none is lost; then the
//! environment; then the command.

mod budget;
mod chat;
mod check;
mod checks;
mod cli;
mod config_command;
mod dependencies;
mod environment;
mod health;
mod healthcheck;
mod http;
mod interruptible;
mod migrate;
mod model;
mod numbers;
mod plan;
mod progress;
mod refusal;
mod reload;
mod reporting;
mod rules;
mod serve;
mod service_manager;
mod settings;
mod steps;
mod stock;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use tria_lifecycle::Signals;

/// Wrong usage of the command line (`EX_USAGE`).
const USAGE: u8 = 64;
/// What was given is wrong: files of data, or the program itself (`EX_DATAERR`).
const DATA: u8 = 65;

fn main() -> ExitCode {
    // One provider of TLS for the whole process; an error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for, and go to standard output with code 0.
            let asked_for = !error.use_stderr();
            let _ = error.print();
            return if asked_for {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(USAGE)
            };
        }
    };
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            telemetry::complain(&format!("tria-server: {error:#}"));
            ExitCode::from(tria_lifecycle::exit_code::SOFTWARE)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&Signals::install()?),
        Command::Check(options) => check::run(&options, &Signals::install()?),
        Command::Migrate(options) => migrate::run(&options, &Signals::install()?),
        Command::Seed(options) => stock::run_seed(&options, &Signals::install()?),
        Command::Ingest(options) => stock::run_ingest(&options, &Signals::install()?),
        Command::Config(options) => config_command::run(&options),
        Command::Healthcheck(options) => healthcheck::run(&options),
    }
}
