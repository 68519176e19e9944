//! Proves every dependency, then serves until it is told to stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tria_check::{Heartbeats, Phase, Runner};
use tria_health::{HealthState, Monitor, Sampler, Snapshot, StartupProgress};
use tria_lifecycle::{
    Finale, HardStop, Hook, HookError, Lifecycle, LifecycleBuilder, RunReport, ShutdownReason,
    Signals, Step,
};

use crate::{
    budget, checks,
    dependencies::Dependencies,
    environment::{Environment, Usable},
    http, plan,
    progress::Progress,
    refusal::{refuse, unfit},
    service_manager,
    settings::{self, LogFormat},
    telemetry::{self, complain, say},
};

/// The address cannot be listened on: somebody else has it, or it is not this host's
/// (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;

/// Runs the service to its end, and gives its exit code.
pub(crate) fn run(signals: &Signals) -> anyhow::Result<u8> {
    // Until the environment is read, its default.
    let hard_stop = HardStop::start(signals, settings::defaults::shutdown_grace())?;
    let environment = Environment::read()?;
    telemetry::install(environment.log_format(), environment.log_level());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(live(&environment, signals, &hard_stop));
    runtime.shutdown_timeout(budget::RUNTIME_END);
    for in_vain in finale().run() {
        complain(&format!("{:#}", anyhow::Error::from(in_vain)));
    }
    code
}

/// What outlives the runtime: to be sent or written when everything else is over.
fn finale() -> Finale {
    Finale::new()
}

async fn live(
    environment: &Environment,
    signals: &Signals,
    hard_stop: &HardStop,
) -> anyhow::Result<u8> {
    let Some(usable) = environment.usable() else {
        return refuse(plan::startup(), environment).await;
    };
    let settings = &usable.settings;
    let wanted = SocketAddr::new(settings.host, settings.port);
    let listener = match http::bind(wanted) {
        Ok(listener) => listener,
        Err(error) => {
            complain(&format!("❌ cannot listen on {wanted}: {error}"));
            complain(
                "   remedy: stop what listens there (`ss -ltnp` shows it), or set HOST and PORT",
            );
            return Ok(UNAVAILABLE);
        }
    };
    let manager = service_manager::of_process(&Heartbeats::default());
    let lifecycle = Lifecycle::builder()
        .signals(signals)
        .hard_stop(hard_stop)
        .service_manager(manager);
    serve(environment, usable, listener, lifecycle).await
}

async fn serve(
    environment: &Environment,
    usable: &Usable,
    listener: TcpListener,
    lifecycle: LifecycleBuilder,
) -> anyhow::Result<u8> {
    let settings = &usable.settings;
    let registry = checks::of_startup(environment, usable)?;
    let runner = Runner::new(registry, lifecycle.phase());
    let snapshot = Arc::new(Snapshot::new(runner.registry()));

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
    let progress = StartupProgress::new(titles);
    let sampling = CancellationToken::new();
    let health = HealthState::new(
        Arc::clone(&snapshot),
        progress.clone(),
        lifecycle.phase(),
        env!("CARGO_PKG_VERSION"),
    )
    .sampler(Sampler::start("/", sampling.clone()));
    let address = listener.local_addr()?;
    let drain = CancellationToken::new();
    let server = tokio::spawn(http::serve(
        listener,
        http::router(tria_health::routes(health)),
        drain.clone(),
    ));

    let observer = Progress {
        startup: progress,
        snapshot: Arc::clone(&snapshot),
    };
    let format = settings.log_format;
    let patience = Some(settings.startup_deadline);
    let startup = plan
        .over(runner.clone(), patience, Some(format))
        .observer(observer)
        .build();
    announce(format, address);

    let hooks = startup
        .hooks()
        .into_iter()
        .map(|hook| disposed(hook, &usable.dependencies));
    let aborter = server.abort_handle();
    let lifecycle = lifecycle
        .hooks(hooks)
        .hook(monitor(names, runner.clone(), snapshot))
        .hook(traffic(server, drain, settings.drain))
        .pre_drain(settings.pre_drain())
        .reserve(budget::AFTER_RUN)
        .grace(settings.shutdown_grace)
        .build();
    let lifecycle = match lifecycle {
        Ok(lifecycle) => lifecycle,
        Err(error) => return unfit(error),
    };
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
    // A start that failed never reached the hook that ends it.
    aborter.abort();
    runner.cancel();
    conclude(format, &report);
    Ok(report.exit_code)
}

/// Gives the hook of a phase the stop that closes what the phase has proven.
fn disposed(hook: Hook, dependencies: &Dependencies) -> Hook {
    let hook = hook.stop_timeout(budget::POOL_STOP);
    match hook.name() {
        plan::DATABASE => hook.on_stop_dispose(dependencies.database.disposal()),
        plan::REDIS => hook.on_stop_dispose(dependencies.redis.disposal()),
        _ => hook,
    }
}

/// Refreshes the snapshot while the service runs.
fn monitor(after: Vec<String>, runner: Runner, snapshot: Arc<Snapshot>) -> Hook {
    let (give, take) = tokio::sync::oneshot::channel();
    Hook::new("monitor")
        .after(after)
        .stop_timeout(budget::MONITOR_STOP)
        .on_start(async move |cx| {
            let handle = Monitor::start(&runner, &snapshot, cx.token());
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

/// Ends the traffic: no new connections, requests in flight are finished, within `limit`.
fn traffic(serving: JoinHandle<io::Result<()>>, drain: CancellationToken, limit: Duration) -> Hook {
    let aborter = serving.abort_handle();
    Hook::new("http")
        .after(["monitor"])
        .stop_timeout(limit + budget::DRAIN_MARGIN)
        .on_stop(async move |_| {
            drain.cancel();
            match tokio::time::timeout(limit, serving).await {
                Ok(Ok(ended)) => Ok(ended?),
                Ok(Err(panic)) => Err(HookError::new(panic)),
                Err(_elapsed) => {
                    aborter.abort();
                    Err(HookError::new(DrainDeadline(limit)))
                }
            }
        })
}

/// Requests were still in flight at the drain deadline.
#[derive(Debug, thiserror::Error)]
#[error("requests were still in flight after {0:?}; their connections were closed")]
struct DrainDeadline(Duration);

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
