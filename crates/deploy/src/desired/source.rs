//! The source that is deployed: a tree of the repository, and nothing beside it.
//!
//! What is built is taken out of the repository, never copied from the folder that people work in:
//! so no ignored file, and no secret, can get into an image.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::migration::{Migration, NotAMigration};

/// A tree of a repository.
#[derive(Clone, Debug)]
pub struct Source {
    repository: PathBuf,
    /// The commit that is checked out.
    pub commit: String,
    /// The tree: of the commit, or of the folder as it is if something in it is not committed.
    pub tree: String,
    /// Files that are not committed.
    pub uncommitted: Vec<String>,
    /// The migrations in the tree, the first one first.
    pub migrations: Vec<Migration>,
}

/// The source cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Git cannot be run.
    #[error("git cannot be run")]
    NoGit(#[source] io::Error),
    /// Git said no.
    #[error("`git {command}` failed: {said}")]
    Refused {
        /// What it was asked.
        command: String,
        /// What it said.
        said: String,
    },
    /// A file among the migrations is none.
    #[error("the migrations cannot be read")]
    Migration(#[from] NotAMigration),
    /// The tree cannot be written to where it is built from.
    #[error("the tree cannot be unpacked")]
    Unpack(#[source] io::Error),
}

/// Where the migrations are.
const MIGRATIONS: &str = "crates/chatbot/migrations/";

// === impl Source ===

impl Source {
    /// The root of the repository that a folder is in.
    ///
    /// # Errors
    /// If it is in none.
    pub fn root_of(folder: &Path) -> Result<PathBuf, SourceError> {
        let said = git(folder, &["rev-parse", "--show-toplevel"])?;
        Ok(PathBuf::from(said))
    }

    /// The source in a repository, as it is now. Files that are not committed are a part of it,
    /// and are named; ignored ones are not.
    ///
    /// # Errors
    /// If git fails, there is no commit, or a migration has no proper name.
    pub fn read(repository: &Path) -> Result<Self, SourceError> {
        let commit = git(repository, &["rev-parse", "HEAD"])?;
        let status = [
            "status",
            "--porcelain",
            "--no-renames",
            "--untracked-files=all",
            "-z",
        ];
        let uncommitted: Vec<String> = git(repository, &status)?
            .split('\0')
            .filter_map(|entry| entry.get(3..))
            .map(str::to_owned)
            .collect();
        let tree = if uncommitted.is_empty() {
            git(repository, &["rev-parse", "HEAD^{tree}"])?
        } else {
            tree_as_it_is(repository)?
        };
        let listed = git(
            repository,
            &["ls-tree", "--name-only", "-z", &tree, MIGRATIONS],
        )?;
        let mut migrations = listed
            .split('\0')
            .filter_map(|path| path.strip_prefix(MIGRATIONS))
            .filter(|file| Path::new(file).extension().is_some_and(|it| it == "sql"))
            .map(Migration::from_file_name)
            .collect::<Result<Vec<_>, _>>()?;
        migrations.sort();
        Ok(Self {
            repository: repository.to_owned(),
            commit,
            tree,
            uncommitted,
            migrations,
        })
    }

    /// Whether a file belongs to the tree, or would if all were committed: it lies in the
    /// repository, and no rule says that it is ignored.
    ///
    /// # Errors
    /// If git cannot be run.
    pub fn takes_in(&self, file: &Path) -> Result<bool, SourceError> {
        let (root, file) = (self.repository.canonicalize(), file.canonicalize());
        let (Ok(root), Ok(file)) = (root, file) else {
            return Ok(false);
        };
        if !file.starts_with(&root) {
            return Ok(false);
        }
        let ignored = command(&root, &["check-ignore", "--quiet"])
            .arg(&file)
            .status();
        Ok(!ignored.map_err(SourceError::NoGit)?.success())
    }

    /// The tree in a folder of its own, which is removed when it is dropped.
    ///
    /// # Errors
    /// If git fails, or the disk is full.
    pub fn unpack(&self) -> Result<TempDir, SourceError> {
        let folder = tempfile::Builder::new()
            .prefix("tria-source-")
            .tempdir()
            .map_err(SourceError::Unpack)?;
        let mut archive = command(&self.repository, &["archive", "--format=tar", &self.tree])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(SourceError::NoGit)?;
        let unpacked = archive.stdout.take().map_or(Ok(()), |packed| {
            tar::Archive::new(packed).unpack(folder.path())
        });
        said(
            "archive",
            &archive.wait_with_output().map_err(SourceError::NoGit)?,
        )?;
        unpacked.map_err(SourceError::Unpack)?;
        Ok(folder)
    }
}

/// The tree of the folder as it is, by way of an index of its own: that of the person stays.
fn tree_as_it_is(repository: &Path) -> Result<String, SourceError> {
    let folder = tempfile::tempdir().map_err(SourceError::Unpack)?;
    let index = folder.path().join("index");
    let theirs = git(repository, &["rev-parse", "--git-path", "index"])?;
    // With it git need not read again what did not change.
    std::fs::copy(repository.join(theirs), &index).map_err(SourceError::Unpack)?;
    let with_index = |arguments: &[&str]| {
        let output = command(repository, arguments)
            .env("GIT_INDEX_FILE", &index)
            .output();
        said(arguments[0], &output.map_err(SourceError::NoGit)?)
    };
    with_index(&["add", "--all", "."])?;
    with_index(&["write-tree"])
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, SourceError> {
    let output = command(folder, arguments).output();
    said(arguments[0], &output.map_err(SourceError::NoGit)?)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn said(command: &str, output: &Output) -> Result<String, SourceError> {
    if output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        return Ok(said.trim_end_matches('\n').to_owned());
    }
    Err(SourceError::Refused {
        command: command.to_owned(),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
