//! Phase 7: the old release drains and stops; what is, is told.

use crate::{
    engine::Container,
    halt::{Halt, Result},
    phases::Work,
    session::Session,
};

pub(super) async fn run(session: &mut Session<'_>, work: &Work<'_>) -> Result<()> {
    session.sweep().await?;
    let containers = session.world.engine.containers().await?;
    for container in &containers {
        session
            .reporter
            .note(format!("{}: {}", container.name, container.told()));
    }
    let current = session.state.current.as_ref();
    let serving = current.and_then(|release| {
        containers
            .iter()
            .find(|container| container.name == release.name())
    });
    if !serving.is_some_and(Container::is_healthy) {
        return Err(Halt::new(
            "not_healthy",
            "the new release is no longer healthy",
            "see `cargo xtask logs`; `cargo xtask rollback` goes back to the release before",
        ));
    }
    let volumes = session.world.engine.volumes().await?;
    session
        .reporter
        .note(format!("volumes: {}", volumes.join(", ")));
    for change in &work.plan.changes {
        session.reporter.note(format!("changed: {change}"));
    }
    let door = work.desired.domain.as_ref();
    let door = door.map_or_else(
        || "the published port of the proxy".to_owned(),
        |domain| format!("https://{domain}/"),
    );
    session.reporter.step(format!("Reached by {door}"));
    Ok(())
}
