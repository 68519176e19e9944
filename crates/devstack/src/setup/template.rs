//! A data folder of PostgreSQL, initialised once and copied for every private server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{Error, Progress, Result, Workspace, account::Account, command, files, secret};

use super::Postgres;

/// Raised when the way the template is made changes.
const RECIPE: u32 = 1;

const ACCESS: &str = "\
# Passwords are always asked for, so that a wrong one is refused.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
";

/// The template's folder and the file with its superuser's password.
pub(super) fn prepare(
    workspace: &Workspace,
    home: &Path,
    postgres: &Postgres,
    account: Option<&Account>,
    progress: &Progress,
) -> Result<(PathBuf, PathBuf)> {
    let password_file = workspace.file("postgres-password");
    let password = secret::keep(&password_file, 32)?;
    // The name says the version, and only a complete folder ever gets it.
    let template = home.join(format!("template-{}-{RECIPE}", postgres.version));
    if template.exists() {
        return Ok((template, password_file));
    }
    let _step = progress.step(&format!("initialising PostgreSQL {}", postgres.version));
    let making = home.join("template.making");
    files::remove_tree(&making)?;
    files::create(&making)?;
    if let Some(account) = account {
        account.own(&making)?;
    }
    let result = initialise(&making, postgres, &password, account).and_then(|()| {
        fs::rename(making.join("data"), &template).map_err(Error::file("move", &template))
    });
    files::remove_tree(&making)?;
    result.map(|()| (template, password_file))
}

fn initialise(
    making: &Path,
    postgres: &Postgres,
    password: &str,
    account: Option<&Account>,
) -> Result<()> {
    let password_file = making.join("password");
    secret::write_in_place(&password_file, password.as_bytes())?;
    if let Some(account) = account {
        account.own(&password_file)?;
    }
    let data = making.join("data");
    let output = command::server(postgres.bin.join("initdb"), account)
        .args([
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            "--auth=scram-sha-256",
            "--no-sync",
        ])
        // Small log segments keep the copies small.
        .arg("--wal-segsize=1")
        .arg(format!("--pwfile={}", password_file.display()))
        .arg("-D")
        .arg(&data)
        .current_dir(making)
        .output()
        .map_err(Error::io("run initdb"))?;
    if !output.status.success() {
        return Err(failed(&output));
    }
    let access = data.join("pg_hba.conf");
    // In place, so that the file stays its account's.
    fs::write(&access, ACCESS).map_err(Error::file("write", &access))
}

fn failed(output: &Output) -> Error {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Error::Setup {
        step: "initialising PostgreSQL",
        cause: format!(
            "initdb ended with {}\n{}",
            output.status,
            String::from_utf8_lossy(&text).trim()
        ),
        remedy: "check the disk's free space; if an installed PostgreSQL is broken, remove it from the PATH",
    }
}
