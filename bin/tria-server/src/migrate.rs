//! Brings the database schema and the vector collections up to date.

use tria_chatbot::schema::LATEST;
use tria_check::{Phase, Runner};
use tria_lifecycle::{Lifecycle, ShutdownReason, Signals};

use crate::{
    DATA, checks,
    cli::MigrateCommand,
    environment::Environment,
    plan,
    refusal::{interrupted, refuse},
    telemetry::{self, complain},
};

/// Runs the migrations, and gives the exit code.
pub(crate) fn run(options: &MigrateCommand, signals: &Signals) -> anyhow::Result<u8> {
    if let Some(expected) = options.expect.filter(|expected| *expected != LATEST) {
        complain(&format!(
            "❌ this program knows the migrations up to {LATEST}, and {expected} is expected"
        ));
        complain(
            "   remedy: list each file of crates/chatbot/migrations in schema/migrations.rs, and build \
             the program anew; nothing was changed",
        );
        return Ok(DATA);
    }
    let environment = Environment::read()?;
    telemetry::install(environment.log_format(), environment.log_level());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(migrate(&environment, signals));
    runtime.shutdown_background();
    code
}

async fn migrate(environment: &Environment, signals: &Signals) -> anyhow::Result<u8> {
    let Some(usable) = environment.usable() else {
        return refuse(plan::migration(), environment).await;
    };
    let settings = &usable.settings;
    let lifecycle = Lifecycle::builder().signals(signals);
    let registry = checks::of_migration(environment, usable)?;
    let runner = Runner::new(registry, lifecycle.phase());
    let patience = Some(settings.startup_deadline);
    let startup = plan::migration()
        .over(runner, patience, Some(settings.log_format))
        .build();
    let lifecycle = lifecycle.hooks(startup.hooks()).build()?;
    let handle = lifecycle.shutdown_handle();
    let mut phase = lifecycle.phase();
    let (report, ()) = tokio::join!(lifecycle.run(), async {
        let begun = phase.wait_for(|phase| *phase != Phase::Starting).await;
        if begun.is_ok_and(|phase| phase.is_ready()) {
            // There is nothing to serve: what is up to date may stop.
            startup.complete();
            handle.shutdown("up to date");
        }
    });
    if let Some(ShutdownReason::Signal(signal)) = report.reason {
        return Ok(interrupted(signal));
    }
    Ok(report.exit_code)
}
