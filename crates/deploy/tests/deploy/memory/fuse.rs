//! Where a test ends the process, makes a call fail, or asks to stop.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio_util::sync::CancellationToken;
use tria_deploy::Stop;

/// How much of a call is done before it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Before,
    /// A part, where a call has parts.
    Half,
    After,
}

impl Cut {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::Half, Self::After];
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trip {
    None,
    Kill(Cut),
    Fail(Cut),
}

/// A call that was made to fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault;

#[derive(Default)]
pub(crate) struct Fuse {
    calls: AtomicUsize,
    log: Mutex<Vec<String>>,
    trips: Mutex<BTreeMap<usize, Trip>>,
    /// From that call on every call that changes something in the engine fails.
    broken_from: Mutex<Option<usize>>,
    ask: Mutex<Option<(usize, Stop)>>,
    dead: CancellationToken,
}

impl Fuse {
    pub(crate) fn trip_at(&self, call: usize, trip: Trip) {
        self.trips.lock().unwrap().insert(call, trip);
    }

    pub(crate) fn break_from(&self, call: usize) {
        *self.broken_from.lock().unwrap() = Some(call);
    }

    pub(crate) fn ask_at(&self, call: usize, stop: Stop) {
        *self.ask.lock().unwrap() = Some((call, stop));
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn next(&self, call: &str) -> Trip {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        self.log.lock().unwrap().push(call.to_owned());
        if let Some((at, stop)) = &*self.ask.lock().unwrap()
            && *at == number
        {
            stop.ask();
        }
        let broken = self
            .broken_from
            .lock()
            .unwrap()
            .is_some_and(|from| number >= from);
        if broken && !call.starts_with("store") {
            return Trip::Fail(Cut::Before);
        }
        let trips = self.trips.lock().unwrap();
        trips.get(&number).copied().unwrap_or(Trip::None)
    }

    /// The process is dead: it does nothing any more.
    pub(super) async fn die<T>(&self) -> T {
        self.dead.cancel();
        pending().await
    }

    pub(crate) async fn death(&self) {
        self.dead.cancelled().await;
    }
}

impl From<Fault> for tria_deploy::engine::EngineError {
    fn from(_: Fault) -> Self {
        Self::Refused {
            action: "do that".into(),
            source: "it was made to fail".into(),
        }
    }
}
