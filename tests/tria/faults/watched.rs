//! A service in good order that is asked all the time.

use std::time::{Duration, Instant};

use tokio::{sync::Semaphore, task::block_in_place};
use tria_tests::{Fixture, Footprint, Prober, Running, Sight};

use super::bounds::STARTS;

/// Bounds how many services start at the same time.
static STARTING: Semaphore = Semaphore::const_new(STARTS);

/// A service in good order, and whoever asks it all the time.
pub(super) struct Watched {
    pub(super) prober: Prober,
    pub(super) url: String,
    process: Option<Process>,
}

/// A `tria-server` of its own; a service inside the test's process has none.
struct Process {
    running: Running,
    start: Footprint,
}

// === impl Watched ===

impl Watched {
    /// Starts `tria-server`, and waits until it serves.
    pub(super) async fn start(fixture: &mut Fixture) -> Self {
        let _turn = STARTING.acquire().await;
        // Many rows share PostgreSQL, and would be warned of few connections left there.
        fixture.set("DB_POOL_SIZE", "2");
        let (running, url) = block_in_place(|| {
            let running = fixture.serve();
            let url = running.ready();
            (running, url)
        });
        let prober = Prober::start(&url).await;
        let start = Footprint::of(running.pid());
        let process = Some(Process { running, start });
        Self {
            prober,
            url,
            process,
        }
    }

    /// A service inside the test's process.
    pub(super) async fn in_process(url: &str) -> Self {
        let prober = Prober::start(url).await;
        let ready = prober.until(Duration::from_secs(10), Sight::is_well).await;
        assert!(ready.is_some(), "{:#}", prober.last().body);
        Self {
            prober,
            url: url.to_owned(),
            process: None,
        }
    }

    /// What the process held at its start, if there is one.
    pub(super) fn start_footprint(&self) -> Option<Footprint> {
        Some(self.process.as_ref()?.start)
    }

    /// What the process holds now.
    pub(super) fn footprint(&self) -> Footprint {
        let process = self.process.as_ref();
        process.map_or_else(Footprint::default, |it| Footprint::of(it.running.pid()))
    }

    /// Waits for the next run that proves that a service is well, and gives the time at which it
    /// was told.
    pub(super) async fn asked_anew(&self, service: &str, limit: Duration) -> Option<Instant> {
        let before = self.prober.last().response_time(service);
        let anew = |sight: &Sight| {
            let now = sight.response_time(service);
            sight.code(service).is_none() && now.is_some() && now != before
        };
        Some(self.prober.until(limit, anew).await?.at)
    }
}

/// An environment in which the service can start.
pub(super) async fn migrated() -> Fixture {
    let mut fixture = Fixture::empty().await;
    migrate(&mut fixture).await;
    fixture
}

/// Brings the stores of an environment up to date, without holding up the other rows.
pub(super) async fn migrate(fixture: &mut Fixture) {
    let _turn = STARTING.acquire().await;
    fixture.set("STARTUP_DEADLINE", "60s");
    block_in_place(|| fixture.run(&["migrate"])).expect(0, &["MIGRATION COMPLETE"]);
}
