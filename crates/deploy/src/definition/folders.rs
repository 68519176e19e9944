//! Folders that a service binds. The engine's machine may not have them, and the tree that they are
//! in may be gone tomorrow: their files are copied into a volume, wherever the engine is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Definition, DefinitionError};
use crate::secret::SecretFile;

/// A folder whose files are handed on in a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundFolder {
    /// The service that binds it.
    pub service: String,
    /// The folder.
    pub source: PathBuf,
    /// The volume.
    pub volume: String,
}

/// What is meant for configuration is small; whoever binds more than this binds it by mistake.
const MOST_BYTES: u64 = 1 << 20;
const MOST_FILES: usize = 200;

// === impl Definition ===

impl Definition {
    /// The folders that a service binds.
    pub fn bound_folders(&self, service: &str) -> Vec<BoundFolder> {
        let uses = self.services.get(service).map(|service| &service.volumes);
        let bound = uses.into_iter().flatten().filter(|it| it.kind == "bind");
        bound
            .map(|usage| BoundFolder {
                service: service.to_owned(),
                source: PathBuf::from(&usage.source),
                volume: self.files_volume_of(service, &usage.target),
            })
            .collect()
    }

    /// The same with the folders of another copy of the tree: of the one that is deployed, and not
    /// of the one that somebody works on.
    #[must_use]
    pub fn with_folders_of(mut self, copy: &Path, instead_of: &Path) -> Self {
        for usage in self.services.values_mut().flat_map(|it| &mut it.volumes) {
            if usage.kind == "bind"
                && let Ok(place) = Path::new(&usage.source).strip_prefix(instead_of)
            {
                usage.source = copy.join(place).display().to_string();
            }
        }
        self
    }

    /// The volume with the files that a service finds there, as in `tria-files-caddy-etc-caddy`.
    pub(super) fn files_volume_of(&self, service: &str, target: &str) -> String {
        let place = target.trim_matches('/').replace('/', "-");
        format!("{}-files-{service}-{place}", self.name)
    }
}

// === impl BoundFolder ===

impl BoundFolder {
    /// Its files, with their paths in it.
    ///
    /// # Errors
    /// If it is no folder, or has something that cannot be copied: what is not a file or not a
    /// text, or too much of it.
    pub fn files(&self) -> Result<Vec<SecretFile>, DefinitionError> {
        let mut files = Vec::new();
        let mut bytes = 0;
        self.collect(&self.source, &mut files, &mut bytes)?;
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    fn collect(
        &self,
        folder: &Path,
        files: &mut Vec<SecretFile>,
        bytes: &mut u64,
    ) -> Result<(), DefinitionError> {
        let unreadable = |error: io::Error| self.refused(error.kind().to_string());
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            // What a link leads to is copied, as a container would have seen it.
            let metadata = fs::metadata(&path).map_err(unreadable)?;
            if metadata.is_dir() {
                self.collect(&path, files, bytes)?;
                continue;
            }
            if !metadata.is_file() {
                return Err(self.refused("it has something that is no file"));
            }
            *bytes += metadata.len();
            if *bytes > MOST_BYTES || files.len() == MOST_FILES {
                return Err(self.refused("it is too big"));
            }
            let name = path.strip_prefix(&self.source).unwrap_or(&path);
            let content = fs::read_to_string(&path).map_err(unreadable)?;
            files.push(SecretFile {
                name: name.to_string_lossy().into_owned(),
                content: content.into(),
            });
        }
        Ok(())
    }

    fn refused(&self, what: impl Into<String>) -> DefinitionError {
        DefinitionError::Folder {
            service: self.service.clone(),
            folder: self.source.display().to_string(),
            what: what.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use secrecy::ExposeSecret;

    use super::*;

    fn bound(source: &Path) -> BoundFolder {
        BoundFolder {
            service: "caddy".into(),
            source: source.to_owned(),
            volume: "tria-files-caddy-etc-caddy".into(),
        }
    }

    #[test]
    fn all_files_are_read_with_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sites")).unwrap();
        fs::write(folder.path().join("Caddyfile"), "import sites/*").unwrap();
        fs::write(folder.path().join("sites/a"), "respond a").unwrap();
        symlink("a", folder.path().join("sites/b")).unwrap();
        let files = bound(folder.path()).files().unwrap();
        let read: Vec<_> = files
            .iter()
            .map(|file| (file.name.as_str(), file.content.expose_secret()))
            .collect();
        assert_eq!(
            read,
            [
                ("Caddyfile", "import sites/*"),
                ("sites/a", "respond a"),
                ("sites/b", "respond a")
            ]
        );
    }

    #[test]
    fn what_cannot_be_copied_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let refused = |source: &Path| {
            let error = bound(source).files().unwrap_err();
            assert!(matches!(error, DefinitionError::Folder { .. }), "{error}");
        };
        refused(&folder.path().join("none"));
        fs::write(&file, [0xff, 0xfe]).unwrap();
        refused(folder.path());
        // A single file: an editor would replace it, and a volume is a folder.
        refused(&file);
        fs::write(&file, vec![b'x'; 2 << 20]).unwrap();
        refused(folder.path());
        fs::remove_file(&file).unwrap();
        // Without an end.
        symlink(".", &file).unwrap();
        refused(folder.path());
        refused(Path::new("/dev"));
    }
}
