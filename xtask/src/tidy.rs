//! `cargo xtask tidy`: the rules of the house that a program can check.

mod documents;
mod imports;
mod manifests;
mod sources;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use tria_devstack::Workspace;

use crate::tell;

pub(crate) use self::imports::Metadata;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// Relative to the root.
    file: PathBuf,
    /// From 1.
    line: usize,
    what: String,
    remedy: &'static str,
}

/// Lists every breach at once.
pub(crate) fn run() -> Result<ExitCode> {
    let breaches = breaches()?;
    Ok(if breaches.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All breaches of this workspace, each told as it is found.
pub(crate) fn breaches() -> Result<Vec<Breach>> {
    let workspace = Workspace::current();
    let root = workspace.root();
    let files = files(root)?;
    let metadata = Metadata::of_workspace()?;
    let mut breaches = imports::check(root, &metadata);
    breaches.extend(manifests::check(root, &metadata));
    breaches.extend(sources::check(root, &files));
    breaches.extend(documents::check(root, &files, &documents::server_commands));
    for breach in &breaches {
        tell(&breach.to_string());
    }
    for (file, lines) in sources::long(root, &files) {
        tell(&format!(
            "note: {} has {lines} lines; above {} it must be split",
            file.display(),
            sources::MOST_LINES
        ));
    }
    Ok(breaches)
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}; {}",
            self.file.display(),
            self.line,
            self.what,
            self.remedy
        )
    }
}

/// The files of the workspace that people wrote, relative to the root.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let entry = entry?;
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.');
            let built = folder == root && name == "target";
            if hidden || built {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(
                    entry
                        .path()
                        .strip_prefix(root)
                        .unwrap_or(&entry.path())
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Text of a file of the workspace; what is not text has no lines to judge.
fn text(root: &Path, file: &Path) -> String {
    fs::read_to_string(root.join(file)).unwrap_or_default()
}

#[cfg(test)]
fn workspace_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}
