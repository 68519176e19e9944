//! Reading the file.

use std::{io, os::unix::fs::PermissionsExt, path::Path};

use crate::environment::Environment;

/// The file cannot be used. Its lines are never quoted: they hold secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFileError {
    /// There is none.
    #[error("there is no {file}")]
    Missing {
        /// Its name.
        file: String,
    },
    /// It cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// An entry of it is not `KEY=value`.
    #[error("entry {entry} of {file} is not KEY=value")]
    Entry {
        /// Its name.
        file: String,
        /// Which one, from 1; comments and empty lines do not count.
        entry: usize,
    },
}

/// Reads keys and values. Of a key that is there twice the last one holds, as for compose.
///
/// # Errors
/// If the file is not there, or has a line that is none of the expected form.
pub fn read(path: &Path) -> Result<Environment, EnvFileError> {
    let file = path.display().to_string();
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(dotenvy::Error::Io(source)) if source.kind() == io::ErrorKind::NotFound => {
            return Err(EnvFileError::Missing { file });
        }
        Err(dotenvy::Error::Io(source)) => return Err(EnvFileError::Unreadable { file, source }),
        Err(_) => return Err(EnvFileError::Entry { file, entry: 1 }),
    };
    let mut pairs = Vec::new();
    for (index, line) in lines.enumerate() {
        let Ok(pair) = line else {
            let entry = index + 1;
            return Err(EnvFileError::Entry { file, entry });
        };
        pairs.push(pair);
    }
    Ok(pairs.into_iter().collect())
}

/// Whether others than its owner can read the file.
pub fn is_open_to_others(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env.docker");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn keys_and_values_are_read() {
        let (_folder, path) = file("# secrets\nA=1\n\nB=\"two words\"\nA=3\n");
        let environment = read(&path).unwrap();
        let pairs: Vec<(&str, &str)> = environment
            .iter()
            .map(|(key, value)| (key, value.expose_secret()))
            .collect();
        assert_eq!(pairs, [("A", "3"), ("B", "two words")]);
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        let (_folder, path) = file("A=1\nSECRET KEY=s3cret-value\n");
        let error = read(&path).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains("entry 2"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
        let missing = read(&path.with_file_name("none")).unwrap_err();
        assert!(matches!(missing, EnvFileError::Missing { .. }));
    }

    #[test]
    fn a_file_that_others_can_read_is_seen() {
        let (_folder, path) = file("");
        for (mode, is_open) in [(0o600, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&path), is_open, "{mode:o}");
        }
    }
}
