//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

/// The Tria service: it refuses to start until every dependency is proven.
#[derive(Debug, Parser)]
#[command(name = "tria-server", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 clean stop, 1 stop deadline exceeded, 64 usage, \
65 bad data files, 69 a dependency refused for good, 70 bug, 75 startup deadline passed, 78 invalid configuration, \
128+n forced by a second signal";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prove every dependency, then serve (the default)
    Serve,
    /// Prove every dependency, say what is wrong, and exit
    Check(CheckOptions),
    /// Bring the database schema and the vector collections up to date, and exit
    Migrate(MigrateCommand),
    /// Bring products and outlets to what the catalogue says, and exit
    Seed(SeedCommand),
    /// Bring the vector collections to what knowledge and catalogue say, and exit
    Ingest(IngestCommand),
    /// Print the effective settings, secrets redacted
    Config(ConfigOptions),
    /// Ask a running server for its health; for a container's HEALTHCHECK
    Healthcheck(HealthcheckOptions),
}

#[derive(Debug, Args)]
pub(crate) struct MigrateCommand {
    /// The newest migration that this program must know; it refuses if it knows another one
    #[arg(long, value_name = "NUMBER")]
    pub(crate) expect: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckOptions {
    /// Run only these phases (environment, database, redis, openai, chromadb)
    #[arg(long, value_delimiter = ',', value_name = "PHASE")]
    pub(crate) only: Vec<String>,
    /// Wait that long for what may come up by itself, as in 30s
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SeedCommand {
    /// The folder of the data; its catalogue/ is read
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Set the stock of products that are there already, too
    #[arg(long)]
    pub(crate) reset_stock: bool,
}

#[derive(Args, Debug)]
pub(crate) struct IngestCommand {
    /// The folder of the data; its knowledge/ is read
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Delete the collections and make them anew, as another embedding model demands
    #[arg(long)]
    pub(crate) rebuild: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigOptions {
    /// Print an env file with every key, its meaning and default
    #[arg(long)]
    pub(crate) template: bool,
}

#[derive(Args, Debug)]
pub(crate) struct HealthcheckOptions {
    /// What to ask; by default the readiness of the server on this host's PORT
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Ask for liveness instead of readiness
    #[arg(long, conflicts_with = "url")]
    pub(crate) live: bool,
    /// How long to wait for the answer
    #[arg(long, default_value = "4s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}
