//! One row: a service in good order, a fault, its end, and what was seen.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tria_devstack::Server;
use tria_tests::{Dependency, Sight};

use super::{
    bounds::{CLOSING, FILES, MEMORY_KB, Manner, OVERTIME, Pace},
    table::{Row, Timed},
    watched::Watched,
};

/// What is done to a service, and what is expected of it.
pub(super) struct Case {
    pub(super) title: String,
    /// The name in `/health` of what is broken.
    pub(super) service: &'static str,
    pub(super) manner: Manner,
    pub(super) pace: Pace,
    /// The codes that may be told of it.
    pub(super) codes: &'static [&'static str],
}

/// A row that is being made.
pub(super) struct Trial<'a> {
    watched: &'a Watched,
    case: Case,
    begun: Instant,
    /// From when on codes are not judged any more.
    mending: Option<Instant>,
    mended: Option<Instant>,
    row: Row,
}

// === impl Case ===

impl Case {
    pub(super) fn of(
        dependency: Dependency,
        fault: &str,
        manner: Manner,
        codes: &'static [&'static str],
    ) -> Self {
        Self {
            title: format!("{}: {fault}", dependency.title()),
            service: dependency.service(),
            manner,
            pace: Pace::of(dependency),
            codes,
        }
    }

    /// The same of a check that is no dependency's.
    pub(super) fn of_check(
        service: &'static str,
        title: &str,
        manner: Manner,
        codes: &'static [&'static str],
    ) -> Self {
        Self {
            title: title.to_owned(),
            service,
            manner,
            pace: Pace::USUAL,
            codes,
        }
    }
}

// === impl Trial ===

impl<'a> Trial<'a> {
    /// The fault begins with this call.
    pub(super) fn begin(watched: &'a Watched, case: Case) -> Self {
        let row = Row::of(&case.title);
        Self {
            watched,
            case,
            begun: Instant::now(),
            mending: None,
            mended: None,
            row,
        }
    }

    /// Something is not as it should be.
    fn deviates(&mut self, what: impl Into<String>) {
        self.row.deviations.push(what.into());
    }

    /// Something must hold.
    pub(super) fn expects(&mut self, holds: bool, otherwise: &str) {
        if !holds {
            self.deviates(otherwise);
        }
    }

    /// How long the fault lasts already.
    pub(super) fn lasts(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits for 503, as long as the manner of the fault allows.
    pub(super) async fn shows(&mut self) {
        let bound = self.case.pace.shows_within(self.case.manner);
        self.shows_within(bound).await;
    }

    /// Waits for 503.
    pub(super) async fn shows_within(&mut self, bound: Duration) {
        let sight = self.appears(bound, |sight| sight.status == 503).await;
        if sight.is_some_and(|sight| sight.retry_after.is_none()) {
            self.deviates("503 without Retry-After");
        }
    }

    /// Waits until the service counts as degraded, which the next run is to tell, and sees that
    /// the answer stays 200.
    pub(super) async fn degrades(&mut self) {
        let bound = self.case.pace.asked_within();
        let degraded = |sight: &Sight| sight.verdict() == "degraded";
        self.appears(bound, degraded).await;
        if self.refused().is_some() {
            self.deviates("a warning was answered with 503");
        }
    }

    async fn appears(&mut self, bound: Duration, met: impl Fn(&Sight) -> bool) -> Option<Sight> {
        let left = (bound + OVERTIME).saturating_sub(self.begun.elapsed());
        let Case { service, codes, .. } = self.case;
        let named = |sight: &Sight| {
            sight
                .code(service)
                .is_some_and(|code| codes.contains(&code))
        };
        let met = |sight: &Sight| met(sight) && named(sight);
        let sight = self.watched.prober.until(left, met).await;
        let took = sight
            .as_ref()
            .map(|sight| sight.at.saturating_duration_since(self.begun));
        self.row.shows = Some(Timed { took, bound });
        sight
    }

    /// Mending begins, and breaks something else on its way: codes are not judged any more.
    pub(super) fn is_being_mended(&mut self) {
        self.mending = Some(Instant::now());
    }

    /// The fault is over with this call.
    pub(super) fn mended(&mut self) {
        self.mended = Some(Instant::now());
    }

    /// Waits until all is well again, as long as the manner of the fault allows.
    pub(super) async fn recovers(&mut self) {
        let bound = self.case.pace.recovers_within(self.case.manner);
        let service = self.case.service;
        let well = |sight: &Sight| sight.status == 200 && sight.code(service).is_none();
        let left = (bound + OVERTIME).saturating_sub(self.since_mended());
        let sight = self.watched.prober.until(left, well).await;
        self.note_recovery(sight.map(|sight| sight.at), bound);
    }

    /// Waits until a new run has proven that all is well, where the verdict may never have turned.
    pub(super) async fn is_proven_anew(&mut self) {
        let bound = self.case.pace.proven_within();
        let left = (bound + OVERTIME).saturating_sub(self.since_mended());
        let proven = self.watched.asked_anew(self.case.service, left).await;
        self.note_recovery(proven, bound);
    }

    fn since_mended(&self) -> Duration {
        self.mended
            .map_or(Duration::ZERO, |mended| mended.elapsed())
    }

    fn note_recovery(&mut self, at: Option<Instant>, bound: Duration) {
        let mended = self.mended.unwrap_or(self.begun);
        let took = at.map(|at| at.saturating_duration_since(mended));
        self.row.recovers = Some(Timed { took, bound });
    }

    /// When 503 was first told since the fault began.
    fn refused(&self) -> Option<Instant> {
        let changes = self.changes();
        let first = changes.iter().find(|sight| sight.status == 503);
        first.map(|sight| sight.at)
    }

    /// What was told since the fault began, without what held before.
    pub(super) fn changes(&self) -> Vec<Sight> {
        let seen = self.watched.prober.since(self.begun).into_iter();
        seen.filter(|sight| sight.at >= self.begun).collect()
    }

    /// Looks at what goes for every row, and gives it.
    pub(super) async fn end(mut self) -> Row {
        self.judge_codes();
        self.judge_others();
        self.judge_liveness();
        self.judge_footprint().await;
        self.row.told = self.story();
        self.row
    }

    fn judge_codes(&mut self) {
        let mut judged = self.changes();
        judged.retain(|sight| self.mending.is_none_or(|mending| sight.at < mending));
        let told = judged
            .iter()
            .filter_map(|sight| sight.code(self.case.service));
        let mut told: Vec<String> = told.map(str::to_owned).collect();
        told.dedup();
        for code in &told {
            if !self.case.codes.contains(&code.as_str()) {
                self.deviates(format!("{code} is none of {:?}", self.case.codes));
            }
        }
        self.row.codes = told;
    }

    /// A fault of one dependency says nothing of the others.
    fn judge_others(&mut self) {
        let changes = self.changes();
        let down = changes.iter().flat_map(Sight::down);
        let others: BTreeSet<&str> = down
            .filter(|service| *service != self.case.service)
            .collect();
        if !others.is_empty() {
            self.deviates(format!("others were told to be down: {others:?}"));
        }
    }

    fn judge_liveness(&mut self) {
        let pulse = self.watched.prober.pulse();
        self.row.slowest = Some(pulse.slowest_since(self.begun));
        let lost = pulse.lost.into_iter().filter(|(at, _)| *at >= self.begun);
        self.row.lost = lost.map(|(_, what)| what).collect();
    }

    /// What was opened for the fault is closed again.
    async fn judge_footprint(&mut self) {
        let Some(start) = self.watched.start_footprint() else {
            return;
        };
        let begun = Instant::now();
        let mut now = self.watched.footprint();
        while now.open_files > start.open_files + FILES && begun.elapsed() < CLOSING {
            sleep(Duration::from_millis(50)).await;
            now = self.watched.footprint();
        }
        self.row.footprints = Some((start, now));
        if now.open_files > start.open_files + FILES {
            self.deviates("files are left open");
        }
        if now.resident_kb > start.resident_kb + MEMORY_KB {
            self.deviates("memory is not given back");
        }
    }

    /// What was told, with the seconds since the fault began.
    fn story(&self) -> String {
        let seen = self.watched.prober.since(self.begun);
        let lines = seen.iter().map(|sight| {
            let after = sight.at.saturating_duration_since(self.begun);
            format!("{:.2} s {}", after.as_secs_f64(), sight.told())
        });
        lines.collect::<Vec<_>>().join("; ")
    }
}

/// Whether a service whose credentials were changed on the server goes on with the connections that
/// it has: they stay logged in (n8n-io/n8n#15480).
pub(super) async fn outlives_a_rotation(watched: &Watched, dependency: Dependency) -> bool {
    let limit = Pace::of(dependency).proven_within() + OVERTIME;
    let anew = watched.asked_anew(dependency.service(), limit).await;
    anew.is_some() && watched.prober.last().status == 200
}

/// The process of a dependency hangs, and goes on again.
pub(super) async fn paused(watched: &Watched, case: Case, server: &Server) -> Row {
    let mut trial = Trial::begin(watched, case);
    server.pause();
    trial.shows().await;
    server.resume();
    trial.mended();
    trial.recovers().await;
    trial.end().await
}

/// A dependency is started anew. One that was away for a moment only must not be seen to be; in
/// any case the service finds back to it (super-productivity#9599 against n8n-hosting#124: a pool
/// that stayed poisoned for 17 hours).
pub(super) async fn restarted(watched: &Watched, case: Case, server: &mut Server) -> Row {
    let (pace, manner) = (case.pace, case.manner);
    let mut trial = Trial::begin(watched, case);
    server.restart().await.expect("it starts again");
    let away = trial.lasts();
    trial.mended();
    trial.is_proven_anew().await;
    if let Some(at) = trial.refused() {
        let (took, bound) = (Some(at - trial.begun), pace.shows_within(manner));
        trial.row.shows = Some(Timed { took, bound });
        if away < pace.forgives() {
            trial.deviates("a moment was enough for 503");
        }
    }
    trial.row.note = format!("away for {:.1} s", away.as_secs_f64());
    trial.end().await
}
