//! A list of what happened, that hooks write and tests read.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tria_lifecycle::Hook;

/// What happened, with the milliseconds since the journal was opened. Clones are the same journal.
#[derive(Clone)]
pub(crate) struct Journal<T = String> {
    opened: Instant,
    entries: Arc<Mutex<Vec<(u128, T)>>>,
}

impl<T: Clone> Journal<T> {
    pub(crate) fn open() -> Self {
        Self {
            opened: Instant::now(),
            entries: Arc::default(),
        }
    }

    pub(crate) fn write(&self, entry: impl Into<T>) {
        let at = self.opened.elapsed().as_millis();
        self.entries.lock().unwrap().push((at, entry.into()));
    }

    pub(crate) fn timed(&self) -> Vec<(u128, T)> {
        self.entries.lock().unwrap().clone()
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.timed().into_iter().map(|(_, entry)| entry).collect()
    }
}

impl Journal {
    /// A hook that takes so long to start and to stop, and writes `+name` and `-name` when done.
    pub(crate) fn hook<const N: usize>(
        &self,
        name: &str,
        after: [&str; N],
        start_ms: u64,
        stop_ms: u64,
    ) -> Hook {
        let (up, down) = (self.clone(), self.clone());
        let (plus, minus) = (format!("+{name}"), format!("-{name}"));
        Hook::new(name)
            .after(after)
            .on_start(move |_| async move {
                sleep(Duration::from_millis(start_ms)).await;
                up.write(plus);
                Ok(())
            })
            .on_stop(move |_| async move {
                sleep(Duration::from_millis(stop_ms)).await;
                down.write(minus);
                Ok(())
            })
    }

    pub(crate) fn at(&self, entry: &str) -> u128 {
        let found = self
            .timed()
            .into_iter()
            .find(|(_, written)| written == entry);
        found
            .unwrap_or_else(|| panic!("no {entry} in {:?}", self.timed()))
            .0
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
