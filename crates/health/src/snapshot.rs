//! The last results of all checks.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;
use tria_check::{
    CheckMeta, CheckReport, Code, Group, PublicText, Rank, Registry, RunObserver, Status, rank,
};

use crate::{History, StateChange, Thresholds, pace, record::Record};

/// The code of a check of which nothing has been heard for too long.
pub const STALE: Code = Code::new("stale");

/// The last result of every check of a registry. Reading takes no lock; writers do not hold
/// readers up.
///
/// Ages are judged when a result is read: one that is older than 2.5 periods and a timeout is
/// [`Status::Unknown`] with the code [`STALE`], whoever should have refreshed it. A check that
/// has not run is Unknown with the code `not_run`.
///
/// It is a [`RunObserver`]: handed to [`tria_check::Runner::observed`] it takes in every run,
/// whoever asked for it, before anybody is told of its result.
pub struct Snapshot {
    slots: Vec<Slot>,
    by_name: HashMap<String, usize>,
    thresholds: Thresholds,
    listeners: Vec<Listener>,
    watched: AtomicBool,
    /// Grows with every result that was taken in.
    generation: AtomicU64,
}

type Listener = Box<dyn Fn(&StateChange) + Send + Sync>;

/// One check as it stands at the moment of reading.
pub struct Reading<'a> {
    meta: &'a CheckMeta,
    record: Option<Arc<Record>>,
    age: Duration,
    stale: bool,
}

struct Slot {
    meta: CheckMeta,
    record: ArcSwapOption<Record>,
}

// === impl Snapshot ===

impl Snapshot {
    /// A snapshot in which no check has run.
    pub fn new(registry: &Registry) -> Self {
        let slots: Vec<Slot> = registry.metas().cloned().map(Slot::new).collect();
        let by_name = slots
            .iter()
            .enumerate()
            .map(|(index, slot)| (slot.meta.name().to_owned(), index))
            .collect();
        Self {
            slots,
            by_name,
            thresholds: Thresholds::default(),
            listeners: Vec::new(),
            watched: AtomicBool::new(false),
            generation: AtomicU64::new(0),
        }
    }

    /// Sets how many results in a row turn a verdict.
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Adds somebody who is told of every change of a check's verdict, and of the cause of a
    /// failure, from the start of a [`crate::Monitor`] on: what a start finds is told by the
    /// start. It must return at once, and must not panic.
    pub fn on_change(mut self, listener: impl Fn(&StateChange) + Send + Sync + 'static) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Takes in a result, and says when the check's verdict, or the cause of its failure, changes
    /// by it. A first result counts at once, later ones by the thresholds. A run that was taken in
    /// already, an older one, or one of a check that is not in the registry changes nothing.
    pub fn record(&self, report: CheckReport) -> Option<StateChange> {
        let slot = self.slot(&report.name)?;
        let report = Arc::new(report);
        let mut changed = None;
        slot.record.rcu(|previous| {
            changed = None;
            match Record::after(previous.as_deref(), &report, &slot.meta, self.thresholds) {
                Some((next, change)) => {
                    changed = change;
                    Some(Arc::new(next))
                }
                None => previous.clone(),
            }
        });
        self.generation.fetch_add(1, Ordering::Release);
        if let Some(change) = &changed
            && self.watched.load(Ordering::Acquire)
        {
            change.log();
            for listener in &self.listeners {
                listener(change);
            }
        }
        changed
    }

    /// One check as it stands now. `None` when it is not in the registry.
    pub fn read(&self, name: &str) -> Option<Reading<'_>> {
        self.slot(name).map(|slot| slot.read(Instant::now()))
    }

    /// The checks of a group as they stand now, in the registry's order.
    pub fn readings(&self, group: Group) -> Vec<Reading<'_>> {
        let now = Instant::now();
        let members = self.slots.iter().filter(|slot| slot.meta.is_in(group));
        members.map(|slot| slot.read(now)).collect()
    }

    /// All checks as they stand now, in the registry's order.
    pub fn all(&self) -> Vec<Reading<'_>> {
        let now = Instant::now();
        self.slots.iter().map(|slot| slot.read(now)).collect()
    }

    /// From now on every change is told.
    pub(crate) fn watch(&self) {
        self.watched.store(true, Ordering::Release);
    }

    /// A number that has grown since it was last asked for, if any result was taken in since.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// When the check should be asked next: at once when it never was.
    pub(crate) fn due(&self, name: &str) -> Instant {
        let record = self.slot(name).and_then(|slot| slot.record.load_full());
        match (record, self.slot(name)) {
            (Some(record), Some(slot)) => pace::due(&slot.meta, &record.latest),
            _ => Instant::now(),
        }
    }

    fn slot(&self, name: &str) -> Option<&Slot> {
        self.by_name.get(name).map(|index| &self.slots[*index])
    }
}

impl RunObserver for Snapshot {
    fn ended(&self, report: &CheckReport) {
        self.record(report.clone());
    }
}

// === impl Slot ===

impl Slot {
    fn new(meta: CheckMeta) -> Self {
        Self {
            meta,
            record: ArcSwapOption::empty(),
        }
    }

    fn read(&self, now: Instant) -> Reading<'_> {
        let record = self.record.load_full();
        let (age, stale) = record.as_ref().map_or((Duration::ZERO, false), |record| {
            let age = now.saturating_duration_since(record.latest.finished);
            (age, record.is_stale(&self.meta, now))
        });
        Reading {
            meta: &self.meta,
            record,
            age,
            stale,
        }
    }
}

// === impl Reading ===

impl Reading<'_> {
    /// What the check says of itself.
    pub fn meta(&self) -> &CheckMeta {
        self.meta
    }

    /// The result that counts; `None` when the check has not run or when it has become stale.
    pub fn current(&self) -> Option<&CheckReport> {
        self.record
            .as_ref()
            .filter(|_| !self.stale)
            .map(|record| &*record.shown)
    }

    /// The last result, however old it is and whether it counts yet or not.
    pub fn latest(&self) -> Option<&CheckReport> {
        self.record.as_ref().map(|record| &*record.latest)
    }

    /// The results so far; `None` when the check has not run.
    pub fn history(&self) -> Option<&History> {
        self.record.as_ref().map(|record| &record.history)
    }

    /// Whether nothing has been heard of it for too long.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// How long ago the last result came; `None` when the check has not run.
    pub fn age(&self) -> Option<Duration> {
        self.record.is_some().then_some(self.age)
    }

    /// The verdict.
    pub fn status(&self) -> Status {
        self.current()
            .map_or(Status::Unknown, |report| report.outcome.status())
    }

    /// The code of the verdict.
    pub fn code(&self) -> Code {
        match self.current() {
            Some(report) => report.outcome.code(),
            None if self.stale => STALE,
            None => Code::NOT_RUN,
        }
    }

    /// The verdict in words that anyone may read.
    pub fn text(&self) -> PublicText {
        match self.current() {
            Some(report) => report.outcome.text().clone(),
            None if self.stale => PublicText::filled(
                "nothing has been heard of it for {} s",
                &[self.age.as_secs().into()],
            ),
            None => PublicText::new("it has not been checked yet"),
        }
    }

    /// The weight of the verdict for the whole.
    pub fn rank(&self) -> Rank {
        rank(self.status(), self.meta.get_criticality())
    }

    /// Until when this reading holds if nothing new comes; `None`: for ever.
    pub(crate) fn holds_until(&self) -> Option<Instant> {
        let record = self.record.as_ref().filter(|_| !self.stale)?;
        Some(record.fresh_until(self.meta))
    }

    /// When the check is asked again at the latest, from its last result on.
    pub(crate) fn interval(&self) -> Duration {
        self.latest().map_or(Duration::ZERO, |report| {
            pace::interval(self.meta, &report.outcome)
        })
    }
}
