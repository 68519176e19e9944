//! The account PostgreSQL runs under when we are root, which it refuses to be.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, command};

/// An account without privileges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// `postgres` if there is one, else `nobody`; nothing when we are not root.
    pub(crate) fn when_root() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let table = fs::read_to_string("/etc/passwd").map_err(Error::io("read /etc/passwd"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| table.lines().find_map(|line| Self::parse(line, name)))
            .map(Some)
            .ok_or(Error::Setup {
                step: "looking for an account for PostgreSQL",
                cause:
                    "PostgreSQL refuses to run as root, and neither `postgres` nor `nobody` exists"
                        .into(),
                remedy: "add one of the two accounts, or run as an ordinary user",
            })
    }

    fn parse(line: &str, wanted: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == wanted)?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            uid,
            gid,
        })
    }

    /// Whether this account can enter `folder`, which depends on every folder above it.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        command::tool("test", Some(self))
            .args(["-d"])
            .arg(folder)
            .arg("-a")
            .arg("-x")
            .arg(folder)
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Gives one file or folder to this account.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::file("give away", path))
    }
}

/// Whether `path` belongs to us, so that nobody else can have prepared it.
pub(crate) fn is_ours(path: &Path) -> bool {
    let ours = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_of_the_account_table() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let account = Account::parse(line, "postgres").expect("a valid line");
        assert_eq!((account.uid, account.gid), (101, 104));
        assert_eq!(Account::parse(line, "nobody"), None);
        assert_eq!(Account::parse("postgres:x:none:1", "postgres"), None);
    }
}
