//! Generated secrets and the files that keep them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// Letters and digits only, so that it needs no escaping in URLs, SQL and configuration files.
pub(crate) fn generate(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    // Seeded by the system once per call: enough for servers that listen on loopback only.
    let mut source = fastrand::Rng::new();
    (0..length)
        .map(|_| char::from(ALPHABET[source.usize(..ALPHABET.len())]))
        .collect()
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    // Temporary files are made with mode 600 from the start.
    let mut file = NamedTempFile::new_in(folder).map_err(Error::file("write in", folder))?;
    file.write_all(content)
        .map_err(Error::file("write", path))?;
    file.persist(path)
        .map_err(|error| error.error)
        .map_err(Error::file("write", path))?;
    Ok(())
}

/// The secret kept in `path`, generated at the first call.
pub(crate) fn keep(path: &Path, length: usize) -> Result<String> {
    if let Ok(kept) = fs::read_to_string(path)
        && kept.trim().len() >= length
    {
        return Ok(kept.trim().to_owned());
    }
    let secret = generate(length);
    write_private(path, secret.as_bytes())?;
    Ok(secret)
}

/// Like [`write_private`], in place, for a file that another account will own.
pub(crate) fn write_in_place(path: &Path, content: &[u8]) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .map_err(Error::file("write", path))
}
