//! How a command ends that could not do what it was asked for.

use tokio::sync::watch;
use tria_check::{Phase, Runner};
use tria_lifecycle::{BuildError, GraphProblem, Signal, exit_code::forced_by};
use tria_orchestrator::exit_code;

use crate::{budget, checks, environment::Environment, plan::Plan, telemetry::complain};

/// Tells what is wrong with the environment, and that nothing else of the plan was tried. Gives
/// the exit code.
pub(crate) async fn refuse(plan: Plan, environment: &Environment) -> anyhow::Result<u8> {
    let registry = checks::of_environment(environment)?;
    // The sender may go: nothing serves, so the phase does not change any more.
    let (_, phase) = watch::channel(Phase::Starting);
    let format = Some(environment.log_format());
    let verdict = plan
        .over(Runner::new(registry, phase), None, format)
        .build()
        .prove()
        .await;
    Ok(verdict.exit_code().unwrap_or(exit_code::CONFIG))
}

/// Tells that what a stop may take does not fit `SHUTDOWN_GRACE`, and gives the exit code.
///
/// # Errors
/// Anything else that is wrong with the hooks is a bug.
pub(crate) fn unfit(error: BuildError) -> anyhow::Result<u8> {
    let over = |problem: &GraphProblem| matches!(problem, GraphProblem::OverGrace { .. });
    if !error.problems().iter().any(over) {
        return Err(error.into());
    }
    complain(&format!("❌ {error}"));
    complain(&format!("   remedy: {}", budget::REMEDY));
    Ok(exit_code::CONFIG)
}

/// Says that a command was interrupted before it was done, and gives its exit code: not that of a
/// success, since what was asked for is not proven.
pub(crate) fn interrupted(signal: Signal) -> u8 {
    complain(&format!(
        "interrupted by {} before it was done",
        signal.name()
    ));
    forced_by(signal)
}
