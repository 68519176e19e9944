//! What `setup` found or installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Workspace, account::Account, secret};

/// Raised when what `setup` makes changes its shape; older installations are then mended.
pub(crate) const LAYOUT: u32 = 1;

/// The programs and files the servers run from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Installation {
    pub(crate) layout: u32,
    pub(crate) root: PathBuf,
    pub(crate) postgres: PostgresBinaries,
    pub(crate) redis: RedisBinary,
    pub(crate) python: PathBuf,
    pub(crate) chroma: PathBuf,
    pub(crate) chat_model: PathBuf,
    pub(crate) embedding_model: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PostgresBinaries {
    pub(crate) bin: PathBuf,
    pub(crate) version: String,
    pub(crate) tls: bool,
    /// Where data folders lie: the account below can enter it.
    pub(crate) home: PathBuf,
    pub(crate) account: Option<Account>,
    /// An initialised data folder to copy.
    pub(crate) template: PathBuf,
    /// The superuser's password in the template.
    pub(crate) password_file: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RedisBinary {
    pub(crate) server: PathBuf,
    pub(crate) version: String,
}

impl Installation {
    /// What the last `setup` of this clone left.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] when it did not run, or something it made is gone.
    pub fn load() -> Result<Self> {
        Self::load_from(&Workspace::current())
    }

    pub(crate) fn load_from(workspace: &Workspace) -> Result<Self> {
        let missing = |reason: &str| Error::NotSetUp {
            reason: reason.to_owned(),
        };
        let path = Self::path(workspace);
        let text =
            fs::read_to_string(&path).map_err(|_| missing("no installation was recorded"))?;
        let found: Self =
            serde_json::from_str(&text).map_err(|_| missing("the record is of another version"))?;
        if found.layout != LAYOUT || found.root != workspace.root() {
            return Err(missing("the record is of another version or place"));
        }
        match found.files().iter().find(|file| !file.exists()) {
            Some(gone) => Err(missing(&format!("{} is gone", gone.display()))),
            None => Ok(found),
        }
    }

    pub(crate) fn save(&self, workspace: &Workspace) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        secret::write_private(&Self::path(workspace), text.as_bytes())
    }

    /// PostgreSQL's version, as in `15.18`.
    pub fn postgres_version(&self) -> &str {
        &self.postgres.version
    }

    /// Whether PostgreSQL was built with TLS; the wheel's is not.
    pub fn postgres_has_tls(&self) -> bool {
        self.postgres.tls
    }

    /// Redis' or Valkey's version.
    pub fn redis_version(&self) -> &str {
        &self.redis.version
    }

    /// Folders of running servers other than PostgreSQL.
    pub(crate) fn run_folder(&self) -> PathBuf {
        Workspace::at(&self.root).file("run")
    }

    fn path(workspace: &Workspace) -> PathBuf {
        workspace.file("installation.json")
    }

    fn files(&self) -> Vec<&Path> {
        let postgres = &self.postgres;
        vec![
            &postgres.bin,
            &postgres.template,
            &postgres.password_file,
            &self.redis.server,
            &self.python,
            &self.chroma,
            &self.chat_model,
            &self.embedding_model,
        ]
    }
}
