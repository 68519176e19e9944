//! The seven phases, one file each.

mod backup;
mod build;
mod diagnostics;
mod environment;
mod preflight;
mod services;
mod startup;
mod switch;

use crate::{
    desired::Desired, engine::ImageId, fingerprint::Fingerprint, halt::Result, phase::Phase,
    plan::Plan, release::Release, session::Session,
};

/// What one phase leaves to the next.
pub(crate) struct Work<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) plan: &'a Plan,
    pub(crate) fingerprint: &'a Fingerprint,
    pub(crate) number: u64,
    pub(crate) backup: Option<String>,
    pub(crate) image: Option<ImageId>,
    pub(crate) candidate: Option<Release>,
}

/// Runs a phase to its end.
pub(crate) async fn run(
    phase: Phase,
    session: &mut Session<'_>,
    work: &mut Work<'_>,
) -> Result<()> {
    session.checkpoint()?;
    match phase {
        Phase::Preflight => preflight::run(session, work).await,
        Phase::Environment => environment::run(session, work).await,
        Phase::Backup => backup::run(session, work).await,
        Phase::Build => build::run(session, work).await,
        Phase::Startup => startup::run(session, work).await,
        Phase::Switch => switch::run(session, work).await,
        Phase::Diagnostics => diagnostics::run(session, work).await,
    }
}
