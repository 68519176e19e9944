//! Servers that are installed already.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Progress, Result, account::Account, command};

/// The versions of PostgreSQL that the application supports.
const POSTGRES: std::ops::RangeInclusive<u32> = 15..=18;
const REDIS: u32 = 7;

pub(crate) struct Postgres {
    pub(crate) bin: PathBuf,
    pub(crate) version: String,
    pub(crate) tls: bool,
}

pub(crate) struct Redis {
    pub(crate) server: PathBuf,
    pub(crate) version: String,
}

pub(crate) fn find_postgres(account: Option<&Account>, progress: &Progress) -> Option<Postgres> {
    let on_path = which::which_all("postgres").into_iter().flatten();
    // Debian and its kin keep the server out of the PATH.
    let packaged = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut packaged: Vec<PathBuf> = packaged
        .map(|entry| entry.path().join("bin/postgres"))
        .collect();
    packaged.sort();
    let found = on_path
        .chain(packaged.into_iter().rev())
        .filter_map(|program| fs::canonicalize(program).ok()?.parent().map(Path::to_owned))
        .filter_map(|bin| postgres_at(&bin, account).ok())
        .find(|found| {
            let serves = major(&found.version).is_some_and(|major| POSTGRES.contains(&major));
            if !serves {
                progress.say(&format!(
                    "PostgreSQL: {} is installed, but 15 to 18 is needed",
                    found.version
                ));
            }
            serves
        })?;
    let tls = if found.tls { "" } else { ", without TLS" };
    progress.say(&format!(
        "PostgreSQL: {} in {}{tls}",
        found.version,
        found.bin.display()
    ));
    Some(found)
}

/// The server whose programs are in `bin`.
pub(crate) fn postgres_at(bin: &Path, account: Option<&Account>) -> Result<Postgres> {
    let text = output(&bin.join("postgres"), &["--version"], account)?;
    let version = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let version = version
        .ok_or_else(|| unusable(format!("`postgres --version` says {text:?}")))?
        .to_owned();
    if !bin.join("initdb").exists() {
        return Err(unusable(format!("there is no initdb in {}", bin.display())));
    }
    let built = output(&bin.join("pg_config"), &["--configure"], account).unwrap_or_default();
    let tls = built.contains("--with-openssl") || built.contains("--with-ssl");
    Ok(Postgres {
        bin: bin.to_owned(),
        version,
        tls,
    })
}

pub(crate) fn find_redis(progress: &Progress) -> Option<Redis> {
    ["valkey-server", "redis-server"].iter().find_map(|name| {
        let found = redis_at(&which::which(name).ok()?).ok()?;
        if major(&found.version).is_some_and(|major| major >= REDIS) {
            progress.say(&format!(
                "Redis: {} in {}",
                found.version,
                found.server.display()
            ));
            return Some(found);
        }
        progress.say(&format!(
            "Redis: {name} {} is installed, but {REDIS} or later is needed",
            found.version
        ));
        None
    })
}

pub(crate) fn redis_at(server: &Path) -> Result<Redis> {
    let text = output(server, &["--version"], None)?;
    let version = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="));
    let version = version
        .ok_or_else(|| unusable(format!("its --version says {text:?}")))?
        .to_owned();
    Ok(Redis {
        server: server.to_owned(),
        version,
    })
}

fn output(program: &Path, arguments: &[&str], account: Option<&Account>) -> Result<String> {
    let done = command::tool(program, account)
        .args(arguments)
        .output()
        .map_err(Error::io(format!("run {}", program.display())))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
    }
    Err(unusable(format!(
        "{} ended with {}",
        program.display(),
        done.status
    )))
}

fn unusable(cause: String) -> Error {
    Error::Setup {
        step: "looking at an installed server",
        cause,
        remedy: "remove or repair that installation, or delete `.tria` and run `cargo xtask setup`",
    }
}

fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_of_releases_betas_and_nonsense() {
        assert_eq!(major("15.18"), Some(15));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(major("unknown"), None);
    }
}
