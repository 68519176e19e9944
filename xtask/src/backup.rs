//! `cargo xtask backup`: a backup, restored and compared.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tria_deploy::{Options, make_backup};

use crate::deployment::{self, Shared};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// How many backups are kept
    #[arg(long, value_name = "N")]
    keep_backups: Option<usize>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut options = Options::default();
    if let Some(keep) = arguments.keep_backups {
        options.keep_backups = keep;
    }
    deployment::run(&arguments.shared, "backup", async |opened, telling| {
        telling
            .run(&opened.installation, &options, async |ground| {
                make_backup(ground, &opened.desired).await
            })
            .await
    })
}
