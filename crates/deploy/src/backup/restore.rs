//! Restoring a backup for good.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{BackupSource, Manifest, last_line};
use crate::{
    engine::Purpose,
    halt::Result,
    session::{Session, failed_command},
};

#[derive(Deserialize)]
struct Counted {
    rows: BTreeMap<String, u64>,
}

/// Puts a backup in the place of the live database, which is kept under another name. Nobody may
/// use the database meanwhile. It is one step: a restore that dies changes nothing.
pub(crate) async fn restore(
    session: &mut Session<'_>,
    source: &BackupSource,
    manifest: &Manifest,
) -> Result<()> {
    let output = session
        .run_once(&source.one_shot(Purpose::Restore, &manifest.id))
        .await?;
    if !output.is_success() {
        return Err(failed_command(
            "restore",
            "the restore",
            &output,
            "the database is as it was; try an older backup",
        ));
    }
    let counted: Counted = last_line(&output.stdout, "restore")?;
    for line in manifest.compared_with(&counted.rows) {
        session.reporter.warn(line);
    }
    session
        .reporter
        .step(format!("Backup {} is the database now", manifest.id));
    Ok(())
}

/// The rows of each table of the live database.
pub(crate) async fn live_rows(
    session: &mut Session<'_>,
    source: &BackupSource,
) -> Result<BTreeMap<String, u64>> {
    let id = session.world.clock.now().for_names();
    let output = session
        .run_once(&source.one_shot(Purpose::Count, &id))
        .await?;
    if !output.is_success() {
        return Err(failed_command(
            "count",
            "counting rows",
            &output,
            "see that the database runs",
        ));
    }
    let counted: Counted = last_line(&output.stdout, "count")?;
    Ok(counted.rows)
}
