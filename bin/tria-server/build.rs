//! Tells the program from which commit it is built.

use std::{env, process::Command};

/// Given by whoever builds without a repository, as in an image.
const KEY: &str = "TRIA_REVISION";

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is told by the environment"
)]
fn main() {
    println!("cargo::rerun-if-env-changed={KEY}");
    let given = env::var(KEY).ok().filter(|given| !given.is_empty());
    let revision = given.or_else(|| {
        // Every commit, checkout and merge writes a line there.
        if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo::rerun-if-changed={log}");
        }
        git(&["rev-parse", "--short=12", "HEAD"])
    });
    let revision = revision.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env={KEY}={revision}");
}

/// What git says; nothing where there is no git, or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let said = said.trim();
    (output.status.success() && !said.is_empty()).then(|| said.to_owned())
}
