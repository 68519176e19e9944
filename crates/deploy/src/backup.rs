//! Backups: a dump is one only after it was restored and compared.

mod keep;
mod manifest;
mod restore;
mod scripts;
mod source;

use self::manifest::{DumpFacts, Proof};
pub use self::{
    keep::doomed,
    manifest::{BackupFile, Manifest},
    source::BackupSource,
};
pub(crate) use self::{
    keep::prune,
    restore::{live_rows, restore},
};
use crate::{
    engine::Purpose,
    halt::{Halt, Result},
    session::{Session, failed_command},
    store::{Store, StoreError},
};

/// The names of manifests in the store.
const PREFIX: &str = "backup.";

/// Makes a backup of the database and of the volumes beside it, and proves it if asked to.
pub(crate) async fn make(
    session: &mut Session<'_>,
    source: &BackupSource,
    release: Option<u64>,
    prove: bool,
) -> Result<Manifest> {
    let at = session.world.clock.now();
    let id = at.for_names();
    let volume = &source.backups_volume;
    session.world.engine.ensure_volume(volume).await?;
    let output = session
        .run_once(&source.one_shot(Purpose::Dump, &id))
        .await?;
    if !output.is_success() {
        return Err(failed_command(
            "backup",
            "the backup",
            &output,
            "see that the database runs and that the engine's disk is not full; nothing was changed",
        ));
    }
    let facts: DumpFacts = last_line(&output.stdout, "backup")?;
    let mut manifest = facts.into_manifest(id, at, release)?;
    session.reporter.step(format!(
        "Backup {} of {} rows, {} bytes",
        manifest.id,
        manifest.rows.values().sum::<u64>(),
        manifest.bytes()
    ));
    if prove {
        proven(session, source, &mut manifest).await?;
    } else {
        session
            .reporter
            .warn("The backup was not restored to prove it");
    }
    manifest.write(&*session.world.store).await?;
    Ok(manifest)
}

/// All backups, the oldest first.
///
/// # Errors
/// If the store fails. A manifest that cannot be read is left out: it proves nothing.
pub async fn backups(store: &dyn Store) -> std::result::Result<Vec<Manifest>, StoreError> {
    let mut found = Vec::new();
    for name in store.list(PREFIX).await? {
        let bytes = store.read(&name).await?;
        found.extend(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()));
    }
    Ok(found)
}

/// Restores a backup where nobody sees it, and compares.
async fn proven(
    session: &mut Session<'_>,
    source: &BackupSource,
    manifest: &mut Manifest,
) -> Result<()> {
    let output = session
        .run_once(&source.one_shot(Purpose::Prove, &manifest.id))
        .await?;
    if !output.is_success() {
        return Err(failed_command(
            "backup_unrestorable",
            "the restore that proves the backup",
            &output,
            "the database may be damaged; nothing was changed",
        ));
    }
    let proof: Proof = last_line(&output.stdout, "backup_unrestorable")?;
    let differences = manifest.differences(&proof);
    if !differences.is_empty() {
        return Err(Halt::new(
            "backup_differs",
            format!("what was restored differs: {}", differences.join("; ")),
            "the database or the disk may be damaged; nothing was changed",
        ));
    }
    manifest.proven = Some(session.world.clock.now());
    session
        .reporter
        .step("Restored without a network, and compared: equal");
    Ok(())
}

/// The programs say what they found in one line of JSON, the last that they write.
fn last_line<T: serde::de::DeserializeOwned>(stdout: &str, code: &'static str) -> Result<T> {
    let line = stdout.lines().rfind(|line| !line.trim().is_empty());
    let read = line.and_then(|line| serde_json::from_str(line).ok());
    read.ok_or_else(|| {
        Halt::new(
            code,
            "the command ended well and did not say what it did",
            "this is a bug; please tell us",
        )
    })
}

#[cfg(test)]
mod tests;
