//! Folders that are copied, stamped and swept.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::{Error, Result, account::Account};

/// Copies a tree of plain files and folders with their modes, and gives it to `account`.
pub(crate) fn copy_tree(from: &Path, to: &Path, account: Option<&Account>) -> Result<()> {
    copy(from, to, account).map_err(Error::file("copy a data folder to", to))
}

fn copy(from: &Path, to: &Path, account: Option<&Account>) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    give(to, account)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target)?;
            give(&target, account)?;
        }
    }
    Ok(())
}

fn give(path: &Path, account: Option<&Account>) -> io::Result<()> {
    account.map_or(Ok(()), |account| {
        std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
    })
}

/// Removes a folder if it is there.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn create(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::file("create", path))
}

/// A folder that any account can enter, whatever our file mode mask; secrets in it are files of
/// mode 600.
pub(crate) fn open_to_others(folder: &Path) -> Result<()> {
    create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
        .map_err(Error::file("open", folder))
}

/// A file written last, that says a step was done completely and of which version.
#[derive(Debug)]
pub(crate) struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    pub(crate) fn new(path: PathBuf, content: impl Into<String>) -> Self {
        Self {
            path,
            content: content.into(),
        }
    }

    pub(crate) fn matches(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.content)
    }

    pub(crate) fn clear(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::file("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn write(&self) -> Result<()> {
        crate::secret::write_private(&self.path, self.content.as_bytes())
    }
}

/// A folder of this process, removed when dropped, or by a later run if we are killed.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new folder under `parent`, of which those of dead processes are removed first.
    pub(crate) fn create(parent: &Path) -> Result<Self> {
        open_to_others(parent)?;
        sweep(parent);
        let path = parent.join(format!("{}-{:08x}", std::process::id(), fastrand::u32(..)));
        open_to_others(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // A server that is still closing its files may add one while we remove.
        for _ in 0..3 {
            if fs::remove_dir_all(&self.path).is_ok() || !self.path.exists() {
                return;
            }
        }
    }
}

fn sweep(parent: &Path) {
    // Without this folder no process is known to be dead.
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_spares_the_living_and_the_unknown() {
        let parent = tempfile::tempdir().unwrap();
        let ours = RunFolder::create(parent.path()).unwrap();
        let dead = parent.path().join("4194999-00000000");
        let other = parent.path().join("notes");
        fs::create_dir_all(dead.join("inner")).unwrap();
        fs::create_dir(&other).unwrap();

        let second = RunFolder::create(parent.path()).unwrap();

        assert!(ours.path().exists() && second.path().exists() && other.exists());
        assert!(!dead.exists());
        let gone = second.path().to_owned();
        drop(second);
        assert!(!gone.exists());
    }

    #[test]
    fn a_stamp_of_another_version_does_not_match() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stamp");
        Stamp::new(path.clone(), "1").write().unwrap();
        assert!(Stamp::new(path.clone(), "1").matches());
        assert!(!Stamp::new(path.clone(), "2").matches());
        Stamp::new(path.clone(), "2").clear().unwrap();
        assert!(!Stamp::new(path, "1").matches());
    }
}
