//! Proves every dependency and says what is wrong, without serving.

use tokio::sync::watch;
use tria_check::{Phase, Runner};
use tria_lifecycle::Signals;
use tria_orchestrator::{Phase as StartupPhase, report_json};

use crate::{
    USAGE, checks,
    cli::CheckOptions,
    environment::Environment,
    interruptible::until_a_signal,
    plan::{self, Plan},
    telemetry::{complain, say},
};

/// Runs the preflight, and gives its exit code.
pub(crate) fn run(options: &CheckOptions, signals: &Signals) -> anyhow::Result<u8> {
    let plan = match chosen(options) {
        Ok(plan) => plan,
        Err(complaint) => {
            complain(&complaint);
            return Ok(USAGE);
        }
    };
    let environment = Environment::read()?;
    until_a_signal(&environment, signals, prove(options, &environment, plan))
}

async fn prove(
    options: &CheckOptions,
    environment: &Environment,
    plan: Plan,
) -> anyhow::Result<u8> {
    let registry = match environment.usable() {
        Some(usable) => checks::of_preflight(environment, usable)?,
        None => checks::of_environment(environment)?,
    };
    // The sender may go: a preflight stays in one phase.
    let (_, phase) = watch::channel(Phase::Starting);
    let runner = Runner::new(registry, phase);
    let format = (!options.json).then(|| environment.log_format());
    let verdict = plan
        .over(runner, options.wait, format)
        .build()
        .prove()
        .await;
    if options.json {
        say(&format!("{:#}", report_json(&verdict)));
    }
    Ok(verdict.exit_code().unwrap_or(0))
}

/// The phases that were asked for. The environment is always judged: nothing else can be tried
/// without it.
fn chosen(options: &CheckOptions) -> Result<Plan, String> {
    let mut plan = plan::preflight();
    let known: Vec<&str> = plan.phases.iter().map(StartupPhase::name).collect();
    if let Some(unknown) = options
        .only
        .iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(format!(
            "there is no phase {unknown:?}; the phases are {}",
            known.join(", ")
        ));
    }
    plan.phases.retain(|phase| {
        options.only.is_empty()
            || phase.name() == plan::ENVIRONMENT
            || options.only.iter().any(|name| name == phase.name())
    });
    Ok(plan)
}
