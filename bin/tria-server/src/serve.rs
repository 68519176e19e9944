//! Proves every dependency, then serves until it is told to stop.

use std::{net::SocketAddr, time::Duration};

use anyhow::Error;
use axum::extract::ConnectInfo;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tria_check::Phase;
use tria_health::HealthService;
use tria_lifecycle::{Hook, Lifecycle, RunReport, ShutdownReason, Signals, Step, serve::Server};

use crate::{
    dependencies::Dependencies,
    environment::{Environment, Usable},
    health::Health,
    http, plan,
    progress::Progress,
    refusal::refuse,
    reporting::Reporting,
    settings::LogFormat,
    telemetry::{self, complain, say},
};

/// The address cannot be listened on: somebody else has it, or it is not this host's
/// (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;

/// How long the runtime may hold the exit for work that cannot be cancelled, such as a name being
/// looked up.
const RUNTIME_SHUTDOWN: Duration = Duration::from_millis(200);

/// How long probes may take for their last answer after a start that failed.
const LAST_ANSWERS: Duration = Duration::from_millis(200);

/// How long closing a pool may take.
const POOL_STOP: Duration = Duration::from_secs(3);

/// Runs the service to its end, and gives its exit code.
pub(crate) fn run(signals: &Signals) -> anyhow::Result<u8> {
    let environment = Environment::read()?;
    telemetry::install(environment.log_format(), environment.log_level());
    // It outlives the runtime, so that the last report is sent whatever became of that.
    let reporting = match environment.usable() {
        Some(usable) => Reporting::start(&usable.settings, environment.redactor()?),
        None => Reporting::none(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(live(&environment, signals, &reporting));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    code
}

async fn live(
    environment: &Environment,
    signals: &Signals,
    reporting: &Reporting,
) -> anyhow::Result<u8> {
    let Some(usable) = environment.usable() else {
        return refuse(plan::startup(), environment).await;
    };
    let settings = &usable.settings;
    let wanted = SocketAddr::new(settings.host, settings.port);
    // Before anything is started, so that probes see progress instead of a refused connection.
    let server = match Server::bind(wanted) {
        Ok(server) => server,
        Err(error) => {
            complain(&format!("❌ {:#}", Error::new(error)));
            complain(
                "   remedy: stop what listens there (`ss -ltnp` shows it), or set HOST and PORT",
            );
            return Ok(UNAVAILABLE);
        }
    };
    serve(environment, usable, server, signals, reporting).await
}

async fn serve(
    environment: &Environment,
    usable: &Usable,
    server: Server,
    signals: &Signals,
    reporting: &Reporting,
) -> anyhow::Result<u8> {
    let settings = &usable.settings;
    let lifecycle = Lifecycle::builder().signals(signals);
    let plan = plan::startup();
    let names: Vec<String> = plan
        .phases
        .iter()
        .map(|phase| phase.name().to_owned())
        .collect();
    let titles = plan
        .phases
        .iter()
        .enumerate()
        .map(|(index, phase)| (index + 1, phase.title().to_owned()));
    let mut health = Health::new(environment, usable, lifecycle.phase(), titles)?;
    let sampling = CancellationToken::new();
    health.service = health.service.sample("/", sampling.clone());
    let service = health.service.clone();
    let server = server
        .drain_timeout(settings.drain)
        .peer_as(ConnectInfo)
        .serve(http::router(service.routes()).layer(service.http_layer()));

    let observer = Progress(service.startup().clone());
    let format = settings.log_format;
    let patience = Some(settings.startup_deadline);
    let startup = plan
        .over(service.runner().clone(), patience, Some(format))
        .observer(observer)
        .build();
    announce(format, server.local_addr());

    let hooks = startup
        .hooks()
        .into_iter()
        .map(|hook| disposed(hook, &usable.dependencies));
    let lifecycle = lifecycle
        .hooks(hooks)
        .hook(monitor(names, service.clone()))
        .hook(server.hook("http").after(["monitor"]))
        .pre_drain(settings.pre_drain())
        .stop_deadline(settings.shutdown_grace)
        .build()?;
    health.follow(lifecycle.report());
    let stopping = lifecycle.shutdown_handle();
    let mut phase = lifecycle.phase();
    let narrator = tokio::spawn(async move {
        let begun = phase.wait_for(|phase| *phase != Phase::Starting).await;
        if begun.is_ok_and(|phase| phase.is_ready()) {
            startup.complete();
        }
        let reason = stopping.requested().await;
        if reason.is_on_purpose() && format == LogFormat::Pretty {
            say(&format!("Stopping: {reason}"));
        }
    });
    let report = lifecycle.run().await;
    narrator.abort();
    sampling.cancel();
    // A start that failed never reached the hook that drains it.
    server.drain_until(Instant::now() + LAST_ANSWERS).await;
    service.runner().cancel();
    conclude(format, &report);
    reporting.ended(&report);
    Ok(report.exit_code)
}

/// Gives the hook of a phase the stop that closes what the phase has proven.
fn disposed(hook: Hook, dependencies: &Dependencies) -> Hook {
    let hook = hook.stop_timeout(POOL_STOP);
    let dependencies = dependencies.clone();
    match hook.name() {
        plan::DATABASE => hook.on_stop(async move |_| {
            dependencies.close_database().await;
            Ok(())
        }),
        plan::REDIS => hook.on_stop(async move |_| {
            dependencies.close_redis().await;
            Ok(())
        }),
        _ => hook,
    }
}

/// Refreshes the snapshot while the service runs.
fn monitor(after: Vec<String>, health: HealthService) -> Hook {
    let (give, take) = tokio::sync::oneshot::channel();
    Hook::new("monitor")
        .after(after)
        .on_start(async move |cx| {
            let handle = health.monitor(cx.token()).await;
            let _ = give.send(handle);
            Ok(())
        })
        .on_stop(async move |_| {
            if let Ok(handle) = take.await {
                handle.stopped().await;
            }
            Ok(())
        })
}

fn announce(format: LogFormat, address: SocketAddr) {
    match format {
        LogFormat::Pretty => say(&format!("Listening on http://{address}")),
        LogFormat::Json => {
            tracing::info!(target: "tria::http", address = %address, "listening");
        }
    }
}

/// Says how the service came to its end.
fn conclude(format: LogFormat, report: &RunReport) {
    let reason = report
        .reason
        .as_ref()
        .map(ShutdownReason::to_string)
        .unwrap_or_default();
    let exit_code = report.exit_code;
    let elapsed_ms = report.stopped_after.unwrap_or_default().as_millis();
    let pending = report.pending.join(", ");
    match format {
        LogFormat::Json => tracing::info!(target: "tria::lifecycle", exit_code, reason, pending,
            elapsed_ms = u64::try_from(elapsed_ms).unwrap_or(u64::MAX), "stopped"),
        LogFormat::Pretty => {
            // What kept it from starting was told at the end of the banner.
            let failures = report
                .errors
                .iter()
                .filter(|error| error.step() != Step::Start);
            for failure in failures.clone() {
                complain(&format!("❌ {failure}: {}", failure.detail().expose()));
            }
            if exit_code == 0 {
                say(&format!("✅ STOPPED ({reason}, {elapsed_ms} ms)"));
            } else if failures.count() > 0 {
                complain(&format!("STOPPED with exit code {exit_code} ({reason})"));
            }
        }
    }
}
