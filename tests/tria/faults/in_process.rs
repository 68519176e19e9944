//! A small service inside the test's process: the monitor and the probes over checks that
//! misbehave, which those of `tria-server` do not.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::{runtime::Runtime, time::sleep};
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, Registry};
use tria_db_check::{
    DatabaseCheck,
    pool::{DatabaseUrl, PoolOptions},
};
use tria_health::HealthService;

use super::{
    bounds::{Manner, OVERTIME, Pace, SLACK_OF_A_HEARTBEAT, TIMEOUT},
    table::Row,
    trial::{Case, Trial},
    watched::Watched,
};

/// A service with runtimes of its own, so that a check that blocks its thread blocks none of the
/// other rows'.
struct Rig {
    url: String,
    serving: Option<Runtime>,
    /// Where the checks are run, where that is not where the probes are answered.
    refreshing: Option<Runtime>,
}

/// A check that does what it is told to.
struct Unruly {
    meta: CheckMeta,
    does: Arc<Mutex<Does>>,
}

/// What a check does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Pass,
    Panic,
    NeverReturn,
    BlockItsThread,
}

// === impl Rig ===

impl Rig {
    fn start(registry: Registry) -> Self {
        Self::over(registry, runtime(), None)
    }

    /// The same with two runtimes, so that one can be ended.
    fn split(registry: Registry) -> Self {
        Self::over(registry, runtime(), Some(runtime()))
    }

    fn over(registry: Registry, serving: Runtime, refreshing: Option<Runtime>) -> Self {
        let service = HealthService::builder(registry).build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("it can be");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = service.routes();
        serving.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        });
        let of_checks = refreshing.as_ref().unwrap_or(&serving);
        of_checks.spawn(async move { service.monitor(&CancellationToken::new()).await });
        Self {
            url,
            serving: Some(serving),
            refreshing,
        }
    }

    /// Kills whoever refreshes the checks, in the middle of whatever it does.
    fn kill_refresher(&mut self) {
        if let Some(refreshing) = self.refreshing.take() {
            refreshing.shutdown_background();
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill_refresher();
        // To wait for it would block a thread of another runtime.
        if let Some(serving) = self.serving.take() {
            serving.shutdown_background();
        }
    }
}

/// As `tria-server` has on a machine with two cores.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

// === impl Unruly ===

impl Unruly {
    fn new(name: &'static str) -> (Self, Arc<Mutex<Does>>) {
        let does = Arc::new(Mutex::new(Does::Pass));
        let meta = CheckMeta::new(name).timeout(TIMEOUT);
        let told = Arc::clone(&does);
        (Self { meta, does }, told)
    }

    fn does(&self) -> Does {
        *self.does.lock().expect("nobody panics with it")
    }
}

impl Check for Unruly {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        match self.does() {
            Does::Pass => {}
            Does::Panic => panic!("planted: this check panics"),
            Does::NeverReturn => std::future::pending().await,
            Does::BlockItsThread => {
                while self.does() == Does::BlockItsThread {
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
        Finding::pass("fine").into()
    }
}

/// A check that misbehaves beside one that does not.
async fn unruly(does: Does, title: &str, manner: Manner, codes: &'static [&'static str]) -> Row {
    let (check, told) = Unruly::new("unruly");
    let (brisk, _) = Unruly::new("brisk");
    let registry = Registry::builder().register(check).register(brisk);
    let rig = Rig::start(registry.build().expect("it is valid"));
    let watched = Watched::in_process(&rig.url).await;

    let case = Case::of_check("unruly", title, manner, codes);
    let mut trial = Trial::begin(&watched, case);
    *told.lock().expect("nobody panics with it") = does;
    trial.shows().await;
    let limit = Pace::USUAL.proven_within();
    let brisk = watched.asked_anew("brisk", limit).await;
    trial.expects(brisk.is_some(), "the other check was not asked meanwhile");
    *told.lock().expect("nobody panics with it") = Does::Pass;
    trial.mended();
    trial.recovers().await;
    trial.end().await
}

pub(super) async fn a_check_that_panics() -> Row {
    let title = "a check that panics every time";
    unruly(Does::Panic, title, Manner::Loud, &["panic"]).await
}

pub(super) async fn a_check_that_never_returns() -> Row {
    let title = "a check that never returns";
    unruly(Does::NeverReturn, title, Manner::Silent, &["timeout"]).await
}

pub(super) async fn a_check_that_blocks_its_thread() -> Row {
    let title = "a check that blocks its thread";
    unruly(Does::BlockItsThread, title, Manner::Silent, &["timeout"]).await
}

/// Nobody asks the checks any more: their results become stale, and liveness says that the process
/// is of no use.
pub(super) async fn the_refresher_is_killed() -> Row {
    let (brisk, _) = Unruly::new("brisk");
    let registry = Registry::builder().register(brisk).build();
    let mut rig = Rig::split(registry.expect("it is valid"));
    let watched = Watched::in_process(&rig.url).await;

    let title = "the refresher is killed";
    let case = Case::of_check("brisk", title, Manner::Silent, &["stale"]);
    let mut trial = Trial::begin(&watched, case);
    rig.kill_refresher();
    let bound = Pace::USUAL.stale_within();
    trial.shows_within(bound).await;
    // A heartbeat may be late by more than a result may.
    let bound = bound + SLACK_OF_A_HEARTBEAT;
    let alive = || watched.prober.pulse().lost.is_empty();
    while alive() && trial.lasts() < bound + OVERTIME {
        sleep(Duration::from_millis(50)).await;
    }
    let (died, mut row) = (trial.lasts(), trial.end().await);
    let lost = std::mem::take(&mut row.lost);
    let red = lost
        .first()
        .is_some_and(|what| what.starts_with("/livez: 503"));
    if !red || died > bound {
        row.deviations
            .push(format!("liveness said {lost:?} after {died:.1?}"));
    }
    row.note = format!("livez 503 after {:.1} s", died.as_secs_f64());
    row
}

/// All connections of the application's pool are in use: a warning, and the database is not down
/// (PostHog/posthog#46457). `tria-server` has no traffic of its own yet that could hold them.
pub(super) async fn the_pool_is_busy() -> Row {
    let stack = tria_devstack::shared().await.expect("the shared stack");
    let database = stack.fresh_database().await.expect("a database");
    let url = DatabaseUrl::parse(&database.url().into()).expect("it is one");
    let pool = |max_size| {
        let options = PoolOptions {
            max_size,
            ..PoolOptions::default()
        };
        url.pool(&options).expect("a pool")
    };
    let (main, probe) = (pool(2), pool(1));
    let check = DatabaseCheck::new(main.clone())
        .probe_pool(probe)
        .configure(|meta| meta.timeout(TIMEOUT));
    let registry = Registry::builder().register(check).build();
    let rig = Rig::start(registry.expect("it is valid"));
    let watched = Watched::in_process(&rig.url).await;

    let title = "PostgreSQL: the pool is busy (in process)";
    let case = Case::of_check("database", title, Manner::Loud, &["pool_busy"]);
    let mut trial = Trial::begin(&watched, case);
    let held = (main.get().await, main.get().await);
    assert!(
        held.0.is_ok() && held.1.is_ok(),
        "the pool has two connections"
    );
    trial.degrades().await;
    drop(held);
    trial.mended();
    trial.is_proven_anew().await;
    let mut row = trial.end().await;
    row.note = "degraded, and 200".into();
    row
}
