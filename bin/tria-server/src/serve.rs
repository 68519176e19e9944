//! Proves every dependency, then serves until it is told to stop.

use std::net::SocketAddr;

use anyhow::Error;
use axum::extract::ConnectInfo;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tria_check::{Heartbeats, Phase};
use tria_health::HealthService;
use tria_lifecycle::{
    HardStop, Hook, Lifecycle, LifecycleBuilder, RunReport, ShutdownReason, Signals, Step,
    serve::Server,
};

use crate::{
    budget, chat,
    dependencies::Dependencies,
    environment::{Environment, Usable},
    health::Health,
    http, plan,
    progress::Progress,
    refusal::{refuse, unfit},
    reload::Reload,
    reporting::Reporting,
    service_manager,
    settings::{self, LogFormat},
    telemetry::{self, Log, complain, say},
};

/// The address cannot be listened on: somebody else has it, or it is not this host's
/// (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;

/// A process that serves: what it hears, and where it speaks.
struct Serving<'a> {
    environment: &'a Environment,
    signals: &'a Signals,
    hard_stop: &'a HardStop,
    reporting: &'a Reporting,
    log: Log,
}

/// Runs the service to its end, and gives its exit code.
pub(crate) fn run(signals: &Signals) -> anyhow::Result<u8> {
    // Until the environment is read, its default.
    let hard_stop = HardStop::start(signals, settings::defaults::shutdown_grace())?;
    let environment = Environment::read()?;
    let log = telemetry::install(environment.log_format(), environment.log_level());
    let reporting = match environment.usable() {
        Some(usable) => Reporting::start(&usable.settings, &environment.redactor()?),
        None => Reporting::none(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Under load sockets are looked at more often than by default (61), so that a probe does not
        // wait behind as many messages.
        .event_interval(5)
        .worker_threads(workers())
        .enable_all()
        .build()?;
    let serving = Serving {
        environment: &environment,
        signals,
        hard_stop: &hard_stop,
        reporting: &reporting,
        log,
    };
    let code = runtime.block_on(serving.live());
    runtime.shutdown_timeout(budget::RUNTIME_END);
    // What is left to report is sent when everything else is over, whatever became of it.
    for in_vain in reporting.finale().run() {
        complain(&format!("{:#}", Error::from(in_vain)));
    }
    code
}

/// One for each core, and four at least: on a small machine the system then shares its cores out
/// between a probe and the messages before it, instead of letting it wait for them.
fn workers() -> usize {
    let cores = std::thread::available_parallelism();
    cores.map_or(1, std::num::NonZero::get).max(4)
}

// === impl Serving ===

impl Serving<'_> {
    async fn live(self) -> anyhow::Result<u8> {
        let Some(usable) = self.environment.usable() else {
            return refuse(plan::startup(), self.environment).await;
        };
        let settings = &usable.settings;
        let wanted = SocketAddr::new(settings.host, settings.port);
        // Before anything is started, so that probes see progress instead of a refused connection.
        match Server::bind(wanted) {
            Ok(server) => self.serve(usable, server).await,
            Err(error) => {
                complain(&format!("❌ {:#}", Error::new(error)));
                complain(
                    "   remedy: stop what listens there (`ss -ltnp` shows it), or set HOST and PORT",
                );
                Ok(UNAVAILABLE)
            }
        }
    }

    async fn serve(self, usable: &Usable, server: Server) -> anyhow::Result<u8> {
        let (settings, format) = (&usable.settings, usable.settings.log_format);
        let heartbeats = Heartbeats::default();
        let manager = service_manager::of_process(&heartbeats);
        let lifecycle = Lifecycle::builder()
            .signals(self.signals)
            .hard_stop(self.hard_stop)
            .service_manager(manager.clone());

        let plan = plan::startup();
        let phases = plan.phases.iter();
        let names: Vec<String> = phases.map(|phase| phase.name().to_owned()).collect();
        let titles = plan.phases.iter().map(|phase| phase.title().to_owned());
        let titles = (1..).zip(titles);
        let phase = lifecycle.phase();
        let draining = CancellationToken::new();
        let chat = chat::chat(settings, &usable.dependencies, draining.clone());
        let upkeep = chat::upkeep(&chat, &heartbeats);
        let mut health = Health::new(self.environment, usable, &chat, phase, heartbeats, titles)?;
        let sampling = CancellationToken::new();
        health.service = health.service.sample("/", sampling.clone());
        let service = health.service.clone();
        let server = server
            .drain_timeout(settings.drain)
            .peer_as(ConnectInfo)
            .serve(http::router(service.routes(), chat.routes()).layer(service.http_layer()));

        let patience = Some(settings.startup_deadline);
        let startup = plan
            .over(service.runner().clone(), patience, Some(format))
            .observer(Progress(service.startup().clone()))
            .build();
        announce(format, server.local_addr());
        let hooks = startup.hooks().into_iter();
        let lifecycle = lifecycle
            .hooks(hooks.map(|hook| disposed(hook, &usable.dependencies)))
            .hook(chat::assistant(names.clone(), &chat, settings))
            .hook(upkeep.into_hook().after(names.clone()))
            .hook(monitor(names, service.clone()))
            .hook(
                server
                    .hook("http")
                    .after(["monitor", chat::ASSISTANT, chat::UPKEEP]),
            );
        let lifecycle = match built(lifecycle, usable) {
            Ok(lifecycle) => lifecycle,
            Err(error) => return unfit(error),
        };
        health.follow(lifecycle.report());

        let told = service.state().clone();
        let log = self.log.clone();
        self.signals
            .on_dump(move || log.tell(&told.diagnostics()))?;
        let mut reload = Reload::new(
            self.environment,
            usable,
            self.log,
            manager,
            self.reporting.clone(),
            health.configuration(),
        );
        self.signals.on_reload(move || reload.run())?;

        let stopping = lifecycle.shutdown_handle();
        let mut phase = lifecycle.phase();
        let narrator = tokio::spawn(async move {
            let begun = phase.wait_for(|phase| *phase != Phase::Starting).await;
            if begun.is_ok_and(|phase| phase.is_ready()) {
                startup.complete();
            }
            let reason = stopping.requested().await;
            draining.cancel();
            if reason.is_on_purpose() && format == LogFormat::Pretty {
                say(&format!("Stopping: {reason}"));
            }
        });
        let report = lifecycle.run().await;
        narrator.abort();
        sampling.cancel();
        // A start that failed never reached the hook that drains it.
        server
            .drain_until(Instant::now() + budget::LAST_ANSWERS)
            .await;
        service.runner().cancel();
        conclude(format, &report);
        self.reporting.ended(&report);
        Ok(report.exit_code)
    }
}

/// The lifecycle, within the time that a stop may take.
fn built(
    lifecycle: LifecycleBuilder,
    usable: &Usable,
) -> Result<Lifecycle, tria_lifecycle::BuildError> {
    lifecycle
        .pre_drain(usable.settings.pre_drain())
        .reserve(budget::AFTER_RUN)
        .grace(usable.settings.shutdown_grace)
        .build()
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
fn monitor(after: Vec<String>, health: HealthService) -> Hook {
    let (give, take) = tokio::sync::oneshot::channel();
    let runner = health.runner().clone();
    Hook::new("monitor")
        .after(after)
        .stop_timeout(budget::MONITOR_STOP)
        .on_start(async move |cx| {
            let handle = health.monitor(cx.token()).await;
            let _ = give.send(handle);
            Ok(())
        })
        .on_stop(async move |_| {
            if let Ok(handle) = take.await {
                handle.stopped().await;
            }
            // A run belongs to nobody who waits for it, and would hold a connection of a silent
            // server for as long as it may take.
            runner.cancel();
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
