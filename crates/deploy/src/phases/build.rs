//! Phase 4: the image.

use std::collections::BTreeMap;

use crate::{
    engine::{BuildSpec, EngineError},
    fingerprint::short,
    halt::{Halt, Result},
    migration::newest,
    phases::Work,
    session::Session,
};

pub(super) async fn run(session: &mut Session<'_>, work: &mut Work<'_>) -> Result<()> {
    let desired = work.desired;
    let server = desired.definition.server()?;
    let image = server.image.clone().unwrap_or_else(|| "tria-server".into());
    let repository = image.split(':').next().unwrap_or(&image);
    let spec = BuildSpec {
        reference: format!("{repository}:{}", short(&desired.tree)),
        context: desired.context.clone(),
        dockerfile: desired.dockerfile.clone(),
        arguments: BTreeMap::from([("REVISION".into(), desired.commit.clone())]),
        labels: BTreeMap::from([
            (
                "org.opencontainers.image.revision".into(),
                desired.commit.clone(),
            ),
            ("tria.schema".into(), schema_range(work)),
        ]),
        no_cache: session.options.no_cache && !session.options.quick,
    };
    let engine = &session.world.engine;
    let built = session
        .interruptible(async {
            engine.build(&spec).await.map_err(|error| match error {
                // Nothing is wrong with what was to be built.
                EngineError::Unreachable(_) => error.into(),
                error => Halt::new(
                    "build",
                    crate::outcome::chain(&error),
                    "the end of the build's output says what is wrong",
                ),
            })
        })
        .await?;
    session
        .reporter
        .step(format!("Built {} ({built})", spec.reference));
    work.image = Some(built);
    Ok(())
}

/// The newest migration that the image knows.
fn schema_range(work: &Work<'_>) -> String {
    let newest = newest(&work.desired.migrations);
    newest.map_or_else(|| "0".into(), |newest| format!("1-{newest}"))
}
