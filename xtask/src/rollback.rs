//! `cargo xtask rollback`: back to the release before.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tria_deploy::{Options, Outcome, rollback, state::State};

use crate::deployment::{self, Opened, Shared, Telling};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// Restore the backup from before the release that serves, too: what was written since is lost
    #[arg(long)]
    restore: bool,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    deployment::run(&arguments.shared, "rollback", async |opened, telling| {
        work(arguments, opened, telling).await
    })
}

async fn work(arguments: &Arguments, opened: &Opened, telling: &Telling) -> Result<Outcome> {
    let options = Options::default();
    if arguments.restore {
        let state = State::read(&*opened.installation.world.store).await?;
        let backup = state.current.and_then(|release| release.backup);
        if let Some(id) = backup
            && let Err(outcome) = deployment::confirm_restore(opened, &id, arguments.yes).await?
        {
            telling.tell_end(&outcome);
            return Ok(outcome);
        }
    }
    telling
        .run(&opened.installation, &options, async |ground| {
            rollback(ground, &opened.desired, arguments.restore).await
        })
        .await
}
