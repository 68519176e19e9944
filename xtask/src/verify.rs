//! `cargo xtask verify`: ten checks of what serves.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use secrecy::SecretString;
use tria_deploy::{
    Options,
    http_probe::{Door, FrontDoor},
    verify::{Checked, Verdict, Verification},
};

use crate::deployment::{self, Installation, Shared, say};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// Ask there, and check only what can be seen over HTTP
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// A backup is made with every deployment and, by whoever follows the guide, every day.
const BACKUP_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(url) = &arguments.url {
        let door = Door::of(&FrontDoor::from(url.as_str())).context("no HTTP client")?;
        let verification = verification(door, None);
        return tokio::runtime::Runtime::new()?.block_on(check(arguments, &verification));
    }
    deployment::look(&arguments.shared, async |installation| {
        let door = installation.probe.front_door().await;
        let door = door.context("the way to the front door is lost")?;
        check(arguments, &verification(door, Some(installation))).await
    })
}

fn verification(door: Door, installation: Option<&Installation>) -> Verification<'_> {
    let environment = installation.map(|installation| &installation.environment);
    let mut private: Vec<SecretString> = Vec::new();
    if let Some(installation) = installation {
        let (definition, keys) = (&installation.definition, &installation.environment);
        private.extend(definition.secret_values(keys).cloned());
        let services = definition.backing();
        private.extend(services.into_iter().map(|name| format!("{name}:").into()));
    }
    Verification {
        door,
        world: installation.map(|installation| &installation.world),
        token: environment.and_then(|keys| keys.get("DIAGNOSTICS_TOKEN").cloned()),
        private,
        backup_age: BACKUP_AGE,
        disk_needed_bytes: Options::default().disk_needed_bytes,
    }
}

async fn check(arguments: &Arguments, verification: &Verification<'_>) -> Result<ExitCode> {
    let checked = verification.run().await;
    for one in &checked {
        say(arguments.shared.json, one, || one.text())?;
    }
    let failed = |one: &Checked| one.verdict == Verdict::Failed;
    Ok(if checked.iter().any(failed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
