//! A store in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use rustix::fs::{FlockOperation, flock};

use super::{Store, StoreError, is_name};

/// Documents as files of one folder. Its files are small, so that they are read and written
/// without a thread of their own.
#[derive(Clone, Debug)]
pub struct FileStore {
    folder: PathBuf,
}

/// Held while a document is compared and replaced.
const GUARD: &str = ".guard";

// === impl FileStore ===

impl FileStore {
    /// Uses that folder; makes it, for us only, if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&folder).map_err(|source| StoreError {
            action: "make the folder of",
            name: "all".into(),
            source,
        })?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let temporary = self.path(&format!(".{name}.{}", std::process::id()));
        let mut file = private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        self.sync()
    }

    /// A new name is on the disk only when its folder is.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn add(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let is_new = !path.exists();
        let mut file = private().append(true).create(true).open(path)?;
        file.write_all(content)?;
        file.sync_all()?;
        if is_new { self.sync() } else { Ok(()) }
    }

    fn compare_and_replace(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> io::Result<bool> {
        let guard = private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(GUARD))?;
        // Freed when the file is closed, also if we are killed.
        flock(&guard, FlockOperation::LockExclusive)?;
        if found(&self.path(name))?.as_deref() != expected {
            return Ok(false);
        }
        match new {
            Some(content) => self.replace(name, content)?,
            None => gone(&self.path(name))?,
        }
        Ok(true)
    }

    fn names(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(prefix) && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

#[async_trait]
impl Store for FileStore {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        checked("read", name)?;
        found(&self.path(name)).map_err(failed("read", name))
    }

    async fn write(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        checked("write", name)?;
        self.replace(name, content).map_err(failed("write", name))
    }

    async fn append(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        checked("add to", name)?;
        self.add(name, content).map_err(failed("add to", name))
    }

    async fn swap(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        checked("replace", name)?;
        self.compare_and_replace(name, expected, new)
            .map_err(failed("replace", name))
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        checked("remove", name)?;
        gone(&self.path(name)).map_err(failed("remove", name))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.names(prefix).map_err(failed("list", prefix))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn found(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn checked(action: &'static str, name: &str) -> Result<(), StoreError> {
    if is_name(name) {
        return Ok(());
    }
    Err(failed(action, name)(io::ErrorKind::InvalidInput.into()))
}

fn failed(action: &'static str, name: &str) -> impl FnOnce(io::Error) -> StoreError {
    let name = name.to_owned();
    move |source| StoreError {
        action,
        name,
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, thread};

    use super::*;

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path().join("state")).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn documents_are_written_read_listed_and_removed() {
        let (_folder, store) = store();
        assert_eq!(store.read("a").await.unwrap(), None);
        store.write("a.1", b"x").await.unwrap();
        store.append("a.2", b"y").await.unwrap();
        store.append("a.2", b"z").await.unwrap();
        store.write("b", b"").await.unwrap();
        assert_eq!(store.read("a.2").await.unwrap().unwrap(), b"yz");
        assert_eq!(store.list("a.").await.unwrap(), ["a.1", "a.2"]);
        store.remove("a.1").await.unwrap();
        store.remove("a.1").await.unwrap();
        assert_eq!(store.list("").await.unwrap(), ["a.2", "b"]);
    }

    #[tokio::test]
    async fn nobody_else_can_read_them() {
        let (_folder, store) = store();
        store.write("a", b"x").await.unwrap();
        store.append("b", b"x").await.unwrap();
        for (path, mode) in [("", 0o700), ("a", 0o600), ("b", 0o600)] {
            let found = fs::metadata(store.path(path)).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{path}");
        }
    }

    #[tokio::test]
    async fn a_document_is_replaced_only_if_it_is_as_expected() {
        let (_folder, store) = store();
        assert!(store.swap("a", None, Some(b"1")).await.unwrap());
        assert!(!store.swap("a", None, Some(b"2")).await.unwrap());
        assert!(!store.swap("a", Some(b"2"), None).await.unwrap());
        assert!(store.swap("a", Some(b"1"), None).await.unwrap());
        assert_eq!(store.read("a").await.unwrap(), None);
    }

    #[test]
    fn of_many_that_try_at_once_one_wins() {
        let (_folder, store) = store();
        let attempt = |mine: u8| store.compare_and_replace("a", None, Some(&[mine])).unwrap();
        let won = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|mine| scope.spawn(move || attempt(mine)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
    }
}
