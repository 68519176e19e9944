//! What is judged at the moment of a scrape.

use tria_check::{Phase, Status};

use super::{page::Page, process, runtime};
use crate::{monitor::is_watched, number::Kind, probe, state::Shared};

const STATUSES: [Status; 4] = [Status::Pass, Status::Warn, Status::Fail, Status::Unknown];

const PHASES: [Phase; 7] = [
    Phase::Starting,
    Phase::Ready,
    Phase::Draining,
    Phase::Stopping,
    Phase::RollingBack,
    Phase::Stopped(0),
    Phase::Failed(0),
];

/// What [`crate::metrics_routes`] looks at when somebody scrapes. Looking runs no check and takes
/// no connection.
pub(super) struct Scrape<'a>(pub(super) &'a Shared);

// === impl Scrape ===

impl Scrape<'_> {
    /// Everything as it stands now.
    pub(super) fn write(&self, page: &mut Page) {
        self.write_verdicts(page);
        self.write_startup(page);
        self.write_pools(page);
        self.write_heartbeats(page);
        self.write_numbers(page);
        let mut family = page.gauge("tria_build_info", "The build of this process; always 1.");
        let version = self.0.version.as_ref();
        family.sample(&[("version", version), ("revision", &self.0.revision)], 1);
        process::write(page);
        runtime::write(page);
    }

    fn write_verdicts(&self, page: &mut Page) {
        let shared = self.0;
        let help = "1 for the verdict of a check that holds now, 0 for the others; a check that \
             nothing is heard of is unknown.";
        let mut family = page.gauge("tria_check_status", help);
        for reading in shared.snapshot.all() {
            // What only a start asks is not asked again, and would be unknown for ever.
            if !is_watched(reading.meta()) {
                continue;
            }
            let (check, holds) = (reading.meta().name(), reading.status().as_str());
            let statuses = STATUSES.map(Status::as_str);
            family.states(&[("check", check)], "status", statuses, holds);
        }
        let ready = probe::is_ready(shared);
        page.gauge("tria_ready", "Whether /readyz answers 200.")
            .only(Some(u8::from(ready)));
        page.gauge(
            "tria_phase",
            "1 for the phase of the process, 0 for the others.",
        )
        .states(&[], "phase", PHASES.map(Phase::name), shared.phase().name());
    }

    fn write_startup(&self, page: &mut Page) {
        let startup = &self.0.startup;
        let help = "How long a phase of the start took, or has been taking; nothing before it \
             has begun.";
        let mut family = page.gauge("tria_startup_phase_duration_seconds", help);
        for phase in startup.phases().iter() {
            if let Some(took) = phase.elapsed() {
                family.sample(&[("phase", &phase.title)], took.as_secs_f64());
            }
        }
        let help = "How long the phases of the start took together, or have been taking.";
        let took = startup.elapsed().map(|took| took.as_secs_f64());
        page.gauge("tria_startup_duration_seconds", help).only(took);
    }

    fn write_pools(&self, page: &mut Page) {
        let pools = self.0.pools.iter().map(|pool| (pool.name(), pool.status()));
        let pools: Vec<_> = pools.collect();
        let mut family = page.gauge("tria_pool_connections", "Open connections of a pool.");
        for (name, status) in &pools {
            let in_use = status.size.saturating_sub(status.available);
            family.sample(&[("pool", name), ("state", "in_use")], in_use);
            family.sample(&[("pool", name), ("state", "idle")], status.available);
        }
        let help = "The most connections that a pool may open.";
        let mut family = page.gauge("tria_pool_connections_max", help);
        for (name, status) in &pools {
            family.sample(&[("pool", name)], status.max);
        }
        let help = "Requests that wait for a connection of a pool.";
        let mut family = page.gauge("tria_pool_waiting", help);
        for (name, status) in &pools {
            family.sample(&[("pool", name)], status.waiting);
        }
    }

    /// What the service brings.
    fn write_numbers(&self, page: &mut Page) {
        for number in &self.0.numbers {
            let mut family = match number.kind {
                Kind::Counter => page.counter(number.name, number.help),
                Kind::Gauge => page.gauge(number.name, number.help),
            };
            for (labels, value) in (number.read)() {
                family.sample(&labels, value);
            }
        }
    }

    fn write_heartbeats(&self, page: &mut Page) {
        let help = "Tasks that have not been heard of in time.";
        page.gauge("tria_heartbeats_overdue", help)
            .only(Some(self.0.heartbeats.overdue().len()));
        let help = "Tasks that are expected to be heard of.";
        page.gauge("tria_heartbeats_expected", help)
            .only(Some(self.0.heartbeats.expected()));
    }
}
