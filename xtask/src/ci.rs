//! `cargo xtask ci`: everything that must be green, the tests last.

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{
    cargo, tell,
    test::{self, deployment},
    tidy::{self, Metadata},
};

pub(crate) fn run() -> Result<ExitCode> {
    step("format", || cargo::run(&["fmt", "--all", "--check"]))?;
    step("clippy", || {
        cargo::run(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    step("tidy", || match tidy::breaches()?.len() {
        0 => Ok(()),
        count => bail!("{count} rules of the house are broken; `cargo xtask tidy` lists them"),
    })?;
    step("docs", docs)?;
    step("each crate alone", each_crate_alone)?;
    // Before the tests, so that the last lines are theirs. What a machine cannot give is told, and
    // is no failure of the code.
    let engine = deployment::prepared();
    if let Err(reason) = &engine {
        tell(&format!(
            "ci: the tests of deployments do not run: {reason:#}"
        ));
    }
    // Its own last lines are ours too.
    tell("ci: tests");
    let ended = test::run(&test::Options::default()).context("ci: tests failed")?;
    let (Ok(engine), ExitCode::SUCCESS) = (engine, ended) else {
        return Ok(ended);
    };
    tell("ci: deployments");
    deployment::run(&engine).context("ci: deployments failed")
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    tell(&format!("ci: {name}"));
    let started = Instant::now();
    work().with_context(|| format!("ci: {name} failed"))?;
    tell(&format!(
        "ci: {name} passed in {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn docs() -> Result<()> {
    let mut command = cargo::command(&["doc", "--no-deps", "--workspace"]);
    let status = command.env("RUSTDOCFLAGS", "-D warnings").status()?;
    if status.success() {
        Ok(())
    } else {
        bail!("`cargo doc` ended with {status}")
    }
}

/// What a crate needs it must ask for itself, not get because another one in the build does.
fn each_crate_alone() -> Result<()> {
    for package in Metadata::of_workspace()?.packages {
        cargo::run(&["check", "--quiet", "-p", &package.name])?;
        cargo::run(&["check", "--quiet", "-p", &package.name, "--tests"])?;
    }
    Ok(())
}
