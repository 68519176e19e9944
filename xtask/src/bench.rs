//! `cargo xtask bench`: the benches, against servers they share.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{cargo, setup, test};

#[derive(Args)]
pub(crate) struct Options {
    /// The bench to run, as in `startup`; without any, all run
    name: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::run()?;
    cargo::run(&["build", "--release", "-p", "tria-server"])?;
    let mut arguments = vec!["bench", "-p", "tria-tests"];
    match &options.name {
        Some(name) => arguments.extend(["--bench", name]),
        None => arguments.push("--benches"),
    }
    test::beside_servers(&arguments)
}
