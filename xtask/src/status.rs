//! `cargo xtask status`: what serves, what runs, what is kept.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use tria_deploy::state::status::Status;

use crate::deployment::{self, Shared, say};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    deployment::look(&arguments.shared, async |installation| {
        let status = Status::of(&installation.world).await;
        let status = status.map_err(|problem| anyhow!("{}; {}", problem.text, problem.remedy))?;
        say(arguments.shared.json, &status, || {
            format!("{}\nreached:  {}", status.text(), installation.door.url)
        })?;
        Ok(ExitCode::SUCCESS)
    })
}
