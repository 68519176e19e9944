//! `cargo xtask stack`: the shared test stack, held in the foreground.

use std::{process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use tria_devstack::{SharedStack, Stack, StackOptions, Workspace, publish};

use crate::{setup, signals::Stop, tell};

pub(crate) fn run() -> Result<ExitCode> {
    setup::run()?;
    tokio::runtime::Runtime::new()?.block_on(hold())
}

async fn hold() -> Result<ExitCode> {
    let workspace = Workspace::current();
    if let Ok(running) = SharedStack::find(&workspace).await {
        bail!(
            "process {} holds a test stack already; tests use that one",
            running.owner()
        );
    }
    let mut stop = Stop::listen()?;
    let started = Instant::now();
    let stack = tokio::select! {
        stack = Stack::start(StackOptions::default()) => stack?,
        _ = stop.next() => return Ok(ExitCode::SUCCESS),
    };
    let published = publish(&workspace, &stack)?;
    tell(&format!(
        "the test stack runs ({:.1} s); Ctrl-C stops it",
        started.elapsed().as_secs_f64()
    ));
    stop.next().await;
    drop(published);
    stack.stop().await;
    Ok(ExitCode::SUCCESS)
}
