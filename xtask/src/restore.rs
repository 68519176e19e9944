//! `cargo xtask restore`: a backup in the place of the database.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tria_deploy::{Options, Outcome, backup::backups, restore_backup, state::status::KnownBackup};

use crate::deployment::{self, Opened, Shared, Telling, say};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// The backup; without one all are listed
    id: Option<String>,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(id) = &arguments.id else {
        return deployment::look(&arguments.shared, async |installation| {
            for manifest in backups(&*installation.world.store).await? {
                let backup = KnownBackup::of(&manifest);
                say(arguments.shared.json, &backup, || backup.text())?;
            }
            Ok(ExitCode::SUCCESS)
        });
    };
    deployment::run(&arguments.shared, "restore", async |opened, telling| {
        work(id, arguments.yes, opened, telling).await
    })
}

async fn work(id: &str, yes: bool, opened: &Opened, telling: &Telling) -> Result<Outcome> {
    if let Err(outcome) = deployment::confirm_restore(opened, id, yes).await? {
        telling.tell_end(&outcome);
        return Ok(outcome);
    }
    telling
        .run(&opened.installation, &Options::default(), async |ground| {
            restore_backup(ground, &opened.desired, id).await
        })
        .await
}
