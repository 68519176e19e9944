//! The numbers of a process, for Prometheus.

mod http;
mod page;
mod process;
mod routes;
mod runtime;
mod scrape;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tria_check::{CheckReport, Code, RunObserver};

use self::http::Routes;
pub use self::{
    http::{HttpLayer, HttpMetrics},
    routes::metrics_routes,
};

const RUNS: &str = "tria_check_runs_total";
const COALESCED: &str = "tria_check_coalesced_total";
const RUN_SECONDS: &str = "tria_check_duration_seconds";
const LAST_COMPLETED: &str = "tria_check_last_completed_timestamp_seconds";
const REQUESTS: &str = "tria_http_requests_total";
const REQUEST_SECONDS: &str = "tria_http_request_duration_seconds";

/// From a check of this machine to a dependency that hardly answers.
const RUN_BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// From a probe, which only reads, to the answer of a busy model.
const REQUEST_BUCKETS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// After how many durations the recorder is made to count them into its buckets. It keeps every
/// one until then, and where nobody scrapes nothing else would (metrics-rs/metrics#467).
const KEPT: usize = 1024;

/// Counts and times the runs of checks and the answers to requests. Clones share the counts.
///
/// It observes a runner ([`tria_check::Runner::observed`]), and its [`Metrics::http_layer`] sees
/// the requests of a router. [`metrics_routes`] tells what was counted. Its labels are bounded:
/// the names and codes of checks, and the routes, methods and statuses of a router.
///
/// It installs nothing: several can live in one process.
///
/// ```
/// # use std::sync::Arc;
/// # use tria_check::{Phase, Registry, Runner};
/// # use tria_health::*;
/// # let registry = Registry::default();
/// # let (_phase, phase) = tokio::sync::watch::channel(Phase::Ready);
/// let metrics = Metrics::new();
/// let runner = Runner::observed(registry, phase.clone(), metrics.clone());
/// # let snapshot = Arc::new(Snapshot::new(runner.registry()));
/// # let progress = StartupProgress::new([(1, "Environment")]);
/// # let state = HealthState::new(snapshot, progress, phase, "1.2.3");
/// let router = routes(state.clone())
///     .merge(metrics_routes(&metrics, state))
///     .layer(metrics.http_layer());
/// # let _: axum::Router = router;
/// ```
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

struct Shared {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    routes: Routes,
    timed: AtomicUsize,
}

// === impl Metrics ===

impl Metrics {
    /// Nothing is counted yet.
    ///
    /// # Panics
    /// Never: both lists of buckets hold some.
    pub fn new() -> Self {
        let full = |name: &str| Matcher::Full(name.to_owned());
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(full(RUN_SECONDS), &RUN_BUCKETS)
            .and_then(|it| it.set_buckets_for_metric(full(REQUEST_SECONDS), &REQUEST_BUCKETS));
        let recorder = builder.expect("there are buckets").build_recorder();
        describe(&recorder);
        Self {
            shared: Arc::new(Shared {
                handle: recorder.handle(),
                recorder,
                routes: Routes::default(),
                timed: AtomicUsize::new(0),
            }),
        }
    }

    /// A layer that counts and times the requests of a router. Add it after the routes and the
    /// fallbacks, with [`axum::Router::layer`]: only there it sees which route a request took.
    pub fn http_layer(&self) -> HttpLayer {
        HttpLayer::new(self.clone())
    }

    /// Begins the counts of a check at zero, so that its first run is seen as an increase.
    fn expect_check(&self, name: &str) {
        self.runs(name, Code::OK).increment(0);
        self.coalesced(name).increment(0);
        drop(self.run_seconds(name));
    }

    fn runs(&self, check: &str, code: Code) -> Counter {
        self.counter(
            RUNS,
            vec![label("check", check), label("code", code.as_str())],
        )
    }

    fn coalesced(&self, check: &str) -> Counter {
        self.counter(COALESCED, vec![label("check", check)])
    }

    fn run_seconds(&self, check: &str) -> Histogram {
        self.histogram(RUN_SECONDS, vec![label("check", check)])
    }

    fn last_completed(&self, check: &str) -> Gauge {
        let key = Key::from_parts(LAST_COMPLETED, vec![label("check", check)]);
        self.shared.recorder.register_gauge(&key, &METADATA)
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        let key = Key::from_parts(name, labels);
        self.shared.recorder.register_counter(&key, &METADATA)
    }

    fn histogram(&self, name: &'static str, labels: Vec<Label>) -> Histogram {
        let key = Key::from_parts(name, labels);
        self.shared.recorder.register_histogram(&key, &METADATA)
    }

    fn time(&self, histogram: &Histogram, took: Duration) {
        histogram.record(took);
        let timed = self.shared.timed.fetch_add(1, Ordering::Relaxed);
        if timed % KEPT == KEPT - 1 {
            self.shared.handle.run_upkeep();
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RunObserver for Metrics {
    fn ended(&self, report: &CheckReport) {
        let check = &report.name;
        self.runs(check, report.outcome.code()).increment(1);
        self.time(&self.run_seconds(check), report.duration);
        let ended = report.started_at + report.duration;
        let since_1970 = ended.duration_since(SystemTime::UNIX_EPOCH);
        self.last_completed(check)
            .set(since_1970.unwrap_or_default().as_secs_f64());
    }

    fn joined(&self, check: &str) {
        self.coalesced(check).increment(1);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

fn label(name: &'static str, value: &str) -> Label {
    Label::new(name, value.to_owned())
}

fn describe(recorder: &PrometheusRecorder) {
    for (name, help) in [
        (RUNS, "Runs of a check that have ended, by what they found."),
        (
            COALESCED,
            "Times that somebody asked for a check and waited for the run that was under way.",
        ),
        (
            REQUESTS,
            "Requests by the route that matched, or none; 499 is a client that did not wait.",
        ),
    ] {
        recorder.describe_counter(name.into(), None, help.into());
    }
    recorder.describe_gauge(
        LAST_COMPLETED.into(),
        None,
        "When the last run of a check ended, in seconds since 1970.".into(),
    );
    for (name, help) in [
        (RUN_SECONDS, "How long a run of a check took."),
        (
            REQUEST_SECONDS,
            "How long it took until the head of an answer was there.",
        ),
    ] {
        recorder.describe_histogram(name.into(), None, help.into());
    }
}

#[cfg(test)]
mod tests {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

    use super::*;

    fn resident_bytes() -> u64 {
        let pid = get_current_pid().unwrap();
        let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
        let mut system = System::new().unwrap();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        system.process(pid).unwrap().memory()
    }

    /// metrics-rs/metrics#467, api7/aisix#850: every duration was kept until somebody scraped.
    /// In a process of its own: the memory of one that runs other tests says nothing.
    #[test]
    fn where_nobody_scrapes_nothing_grows() {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "metrics::tests::two_million_durations",
                "--ignored",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }

    #[test]
    #[ignore = "run by the test above"]
    fn two_million_durations() {
        const MANY: u64 = 2_000_000;
        let metrics = Metrics::new();
        let histogram = metrics.run_seconds("redis");
        metrics.time(&histogram, Duration::from_millis(1));
        let before = resident_bytes();
        for _ in 0..MANY {
            metrics.time(&histogram, Duration::from_millis(1));
        }
        let grown = resident_bytes().saturating_sub(before);
        assert!(grown < MANY * 8 / 2, "{grown} bytes");
        let page = metrics.shared.handle.render();
        let told = format!(
            "tria_check_duration_seconds_count{{check=\"redis\"}} {}",
            MANY + 1
        );
        assert!(page.contains(&told), "{page}");
    }
}
