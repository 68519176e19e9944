//! Which backups are kept.

use std::collections::BTreeSet;

use super::{BackupSource, Manifest, backups};
use crate::{engine::Purpose, halt::Result, session::Session};

/// The backups that may go, given all of them from the oldest to the newest: what is older than
/// the newest `keep`, but for those that a release goes back to, and the newest proven one.
pub fn doomed(all: &[Manifest], keep: usize, needed: &BTreeSet<String>) -> Vec<String> {
    let newest_proven = all.iter().rfind(|manifest| manifest.proven.is_some());
    let old = &all[..all.len().saturating_sub(keep.max(1))];
    old.iter()
        .filter(|manifest| !needed.contains(&manifest.id))
        .filter(|manifest| newest_proven.is_none_or(|proven| proven.id != manifest.id))
        .map(|manifest| manifest.id.clone())
        .collect()
}

/// Removes the backups that are not kept, and files that belong to none.
pub(crate) async fn prune(session: &mut Session<'_>, source: &BackupSource) -> Result<()> {
    let all = backups(&*session.world.store).await?;
    let needed: BTreeSet<String> = session
        .state
        .releases()
        .filter_map(|release| release.backup.clone())
        .collect();
    let doomed = doomed(&all, session.options.keep_backups, &needed);
    if doomed.is_empty() {
        return Ok(());
    }
    // The manifest first: files without one are no backup, and are removed the next time.
    for manifest in all.iter().filter(|manifest| doomed.contains(&manifest.id)) {
        session.world.store.remove(&manifest.document()).await?;
    }
    let kept: Vec<&str> = all
        .iter()
        .map(|manifest| manifest.id.as_str())
        .filter(|id| !doomed.iter().any(|doomed| doomed == id))
        .collect();
    let mut spec = source.one_shot(Purpose::Prune, &session.world.clock.now().for_names());
    spec.environment.insert("KEEP".into(), kept.join(" "));
    let output = session.run_once(&spec).await?;
    if output.is_success() {
        session
            .reporter
            .note(format!("{} old backups removed", doomed.len()));
    } else {
        session.reporter.warn(format!(
            "old backups could not be removed: {}",
            output.tail(5)
        ));
    }
    Ok(())
}
