//! Phase 2: the environment, by the very rules that the service has.

use crate::{
    definition::SERVER,
    halt::{Halt, Result},
    phases::Work,
    session::Session,
};

pub(super) async fn run(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let desired = work.desired;
    // Before it is judged: a secret that is missing is named by the file it comes from.
    for service in desired.definition.backing().into_iter().chain([SERVER]) {
        desired.definition.container(service)?;
        desired
            .definition
            .secret_files(service, &desired.environment)?;
    }
    let seen = desired
        .definition
        .seen_environment(SERVER, &desired.environment)?;
    let judged = session
        .interruptible(async {
            let judged = session.world.judge.violations(&seen).await;
            judged.map_err(|reason| {
                Halt::new(
                    "environment_unjudged",
                    format!("the environment could not be judged: {reason}"),
                    "`cargo run -p tria-server -- check --only environment` shows why",
                )
            })
        })
        .await?;
    if !judged.is_empty() {
        return Err(Halt::new(
            "environment",
            format!(
                "{} rules of the environment are broken:\n{}",
                judged.len(),
                judged.join("\n")
            ),
            "correct the environment file, or make a new one with `cargo xtask init`",
        ));
    }
    session
        .reporter
        .step(format!("{} keys obey the rules of production", seen.len()));
    Ok(())
}
