//! Whether the tasks of this process are still at work.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

/// The heartbeats of a process. Reading them waits for nothing, so liveness may. Clones share
/// them.
///
/// ```
/// use std::time::Duration;
/// use tria_check::Heartbeats;
///
/// let heartbeats = Heartbeats::default();
/// let heartbeat = heartbeats.start("refresher", Duration::from_secs(30));
/// heartbeat.beat();
/// assert!(heartbeats.overdue().is_empty());
/// heartbeat.retire();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Heartbeats {
    beats: Arc<ArcSwap<Vec<Arc<Beat>>>>,
}

/// One task's promise to be heard of again in time.
///
/// A task that ends as it should calls [`Heartbeat::retire`]. Dropping it is no such thing: a task
/// that was killed or panicked is missed like one that is stuck.
#[derive(Debug)]
#[must_use = "a heartbeat that is dropped is missed when its limit is over"]
pub struct Heartbeat {
    beat: Arc<Beat>,
    all: Heartbeats,
}

/// A task that has not been heard of within its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The task.
    pub task: Arc<str>,
    /// How long ago it promised to be heard of by now.
    pub since: Duration,
}

struct Beat {
    task: Arc<str>,
    limit: Duration,
    /// By when the next one is due, in milliseconds since the process's first heartbeat.
    due: AtomicU64,
}

// === impl Heartbeats ===

impl Heartbeats {
    /// Begins to expect a beat of `task` every `limit`. A task that is started anew under its old
    /// name takes the place of the one that was lost.
    pub fn start(&self, task: impl Into<Arc<str>>, limit: Duration) -> Heartbeat {
        let beat = Arc::new(Beat {
            task: task.into(),
            limit,
            due: AtomicU64::new(0),
        });
        beat.expect_within(limit);
        self.beats.rcu(|beats| {
            let others = beats.iter().filter(|other| other.task != beat.task);
            let mut beats: Vec<_> = others.cloned().collect();
            beats.push(Arc::clone(&beat));
            beats
        });
        Heartbeat {
            beat,
            all: self.clone(),
        }
    }

    /// The tasks that are overdue, in the order in which they were started; takes no lock and
    /// waits for nothing. Allocates only where there is one.
    pub fn overdue(&self) -> Vec<Overdue> {
        let now = now_ms();
        let beats = self.beats.load();
        let overdue = beats.iter().filter_map(|beat| beat.overdue(now));
        overdue.collect()
    }

    /// How many tasks are expected to be heard of.
    pub fn expected(&self) -> usize {
        self.beats.load().len()
    }
}

// === impl Heartbeat ===

impl Heartbeat {
    /// The task is at work, and will be heard of again within its limit.
    pub fn beat(&self) {
        self.beat.expect_within(self.beat.limit);
    }

    /// The task is at work, and will be heard of again within `limit`, this time.
    pub fn beat_within(&self, limit: Duration) {
        self.beat.expect_within(limit);
    }

    /// The task has ended as it should: it is expected no more.
    pub fn retire(self) {
        self.all.beats.rcu(|beats| {
            let others = beats.iter().filter(|beat| !Arc::ptr_eq(beat, &self.beat));
            others.cloned().collect::<Vec<_>>()
        });
    }
}

// === impl Beat ===

impl Beat {
    fn expect_within(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.due
            .store(now_ms().saturating_add(limit), Ordering::Release);
    }

    fn overdue(&self, now: u64) -> Option<Overdue> {
        let late = now.checked_sub(self.due.load(Ordering::Acquire))?;
        (late > 0).then(|| Overdue {
            task: Arc::clone(&self.task),
            since: Duration::from_millis(late),
        })
    }
}

impl fmt::Debug for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beat")
            .field("task", &self.task)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Milliseconds since the process's first heartbeat, by the system's monotonic clock: tokio's can
/// stand still in tests, and may sit behind a lock.
fn now_ms() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let elapsed = FIRST.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn wait_until_overdue(heartbeats: &Heartbeats) -> Vec<Overdue> {
        loop {
            let overdue = heartbeats.overdue();
            if !overdue.is_empty() {
                return overdue;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_task_that_is_not_heard_of_is_named_and_forgiven_when_it_is_heard_of_again() {
        let heartbeats = Heartbeats::default();
        let slow = heartbeats.start("slow", LONG);
        let quick = heartbeats.start("quick", LONG);
        assert!(heartbeats.overdue().is_empty());
        slow.beat_within(Duration::ZERO);
        let overdue = wait_until_overdue(&heartbeats);
        assert_eq!(overdue.len(), 1);
        assert_eq!(&*overdue[0].task, "slow");
        slow.beat();
        assert!(heartbeats.overdue().is_empty());
        quick.retire();
        slow.retire();
        assert_eq!(heartbeats.expected(), 0);
    }

    #[test]
    fn a_task_that_was_killed_is_missed_and_one_that_retired_is_not() {
        let heartbeats = Heartbeats::default();
        heartbeats.start("retired", Duration::ZERO).retire();
        drop(heartbeats.start("killed", Duration::ZERO));
        assert_eq!(&*wait_until_overdue(&heartbeats)[0].task, "killed");
        // Whoever takes its place ends the alarm.
        let again = heartbeats.start("killed", LONG);
        assert!(heartbeats.overdue().is_empty());
        assert_eq!(heartbeats.expected(), 1);
        again.retire();
    }
}
