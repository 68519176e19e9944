//! Phase 3: what the service depends on runs, and what it keeps is backed up.

use crate::{
    backup::{self, BackupSource},
    halt::Result,
    phases::{Work, services},
    session::Session,
};

pub(super) async fn run(session: &mut Session<'_>, work: &mut Work<'_>) -> Result<()> {
    services::ensure(session, work).await?;
    let source = BackupSource::of(&work.desired.definition)?;
    let prove = !session.options.quick;
    let manifest = backup::make(session, &source, Some(work.number), prove).await?;
    backup::prune(session, &source).await?;
    work.backup = Some(manifest.id);
    Ok(())
}
