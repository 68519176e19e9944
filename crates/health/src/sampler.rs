//! Numbers of the machine and of this process, taken in the background.

mod machine;
mod process;

use std::{
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;
use tria_check::{Heartbeat, Heartbeats};

use self::{machine::Source, process::ProcessSource};
use crate::resources::{Flight, Kernel, Space};

pub(crate) use self::machine::Sample;
pub use self::{machine::MachineSample, process::ProcessSample};

/// The time between two samples. The load of the processors is that of the time in between.
const PERIOD: Duration = Duration::from_secs(5);

/// How long a round waits for a disk, or for the kernel, to tell its numbers.
const PATIENCE: Duration = Duration::from_secs(2);

/// After how long without a round the task counts as stuck.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(30);

/// The load of the processors, the memory, the room on one disk, and what this process takes of
/// them, sampled every 5 s in the background: a request only reads the last sample. Clones share
/// one sampler.
#[derive(Clone, Debug)]
pub struct Sampler {
    last: Arc<ArcSwapOption<Samples>>,
    tasks: TaskTracker,
}

/// What one round has taken.
#[derive(Debug)]
struct Samples {
    machine: MachineSample,
    process: ProcessSample,
}

/// What is asked in each round. A disk that hangs is asked apart, so that it takes no other number
/// with it; neither is asked again while it owes an answer.
struct Rounds {
    path: PathBuf,
    disk: Flight<Option<Space>>,
    source: Arc<Mutex<(Source, ProcessSource)>>,
    kernel: Flight<Samples>,
}

// === impl Sampler ===

impl Sampler {
    /// Starts to sample the machine, and the disk that holds `path`, until `token` is cancelled.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(path: impl Into<PathBuf>, token: CancellationToken) -> Self {
        Self::start_with(path, token, &Heartbeats::default())
    }

    /// [`Sampler::start`], with a heartbeat of the task `sampler` in each round. A disk that hangs
    /// does not stop it: no restart would mend that.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start_with(
        path: impl Into<PathBuf>,
        token: CancellationToken,
        heartbeats: &Heartbeats,
    ) -> Self {
        let sampler = Self {
            last: Arc::default(),
            tasks: TaskTracker::new(),
        };
        let last = Arc::clone(&sampler.last);
        let rounds = Rounds::new(path.into(), Kernel::default());
        let heartbeat = heartbeats.start("sampler", HEARTBEAT_LIMIT);
        sampler.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = for_ever(|| rounds.once(), &heartbeat, |samples| last.store(samples)) => {}
            }
            heartbeat.retire();
        });
        sampler.tasks.close();
        sampler
    }

    /// Waits until sampling has ended; cancel its token first.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }

    /// The last numbers of the machine, in full; none before the first round has ended.
    pub fn machine(&self) -> Option<MachineSample> {
        let last = self.last.load();
        last.as_ref().map(|last| last.machine.clone())
    }

    /// The last numbers of this process; none before the first round has ended.
    pub fn process(&self) -> Option<ProcessSample> {
        let last = self.last.load();
        last.as_ref().map(|last| last.process.clone())
    }

    /// What readiness tells of the machine.
    pub(crate) fn last(&self) -> Option<Arc<Sample>> {
        let last = self.last.load();
        last.as_ref().map(|last| Arc::clone(&last.machine.sample))
    }
}

/// Hands each round's samples to `keep`, and nothing where taking them panicked.
async fn for_ever<R: Future<Output = Option<Samples>>>(
    round: impl Fn() -> R,
    heartbeat: &Heartbeat,
    keep: impl Fn(Option<Arc<Samples>>),
) {
    loop {
        heartbeat.beat();
        match AssertUnwindSafe(round()).catch_unwind().await {
            Ok(Some(samples)) => keep(Some(Arc::new(samples))),
            // What is told says when it was sampled.
            Ok(None) => warn!("the kernel is slow to tell its numbers; the last ones stay"),
            Err(_panic) => {
                warn!("sampling the machine panicked; its numbers are not told for a while");
                keep(None);
            }
        }
        sleep(PERIOD).await;
    }
}

// === impl Rounds ===

impl Rounds {
    fn new(path: PathBuf, kernel: Kernel) -> Self {
        let process = ProcessSource::new(kernel.clone());
        Self {
            path,
            disk: Flight::default(),
            source: Arc::new(Mutex::new((Source::new(kernel), process))),
            kernel: Flight::default(),
        }
    }

    async fn once(&self) -> Option<Samples> {
        let path = self.path.clone();
        let asked = self.disk.ask(move || Space::of(&path).ok());
        let disk = timeout(PATIENCE, asked).await.ok().flatten();
        let source = Arc::clone(&self.source);
        let asked = self.kernel.ask(move || {
            let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
            let (machine, process) = &mut *source;
            Samples {
                machine: machine.sample(disk),
                process: process.sample(),
            }
        });
        timeout(PATIENCE, asked).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    fn rounds() -> Rounds {
        Rounds::new(PathBuf::from("/"), Kernel::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_taken_every_five_seconds() {
        let samples = Cell::new(0);
        let count = |sample: Option<Arc<Samples>>| {
            samples.set(samples.get() + i32::from(sample.is_some()));
            assert!(samples.get() <= 3, "sampled without a pause");
        };
        let (rounds, heartbeat) = (rounds(), Heartbeats::default().start("it", PERIOD));
        let sampling = for_ever(|| rounds.once(), &heartbeat, count);
        let ended = timeout(Duration::from_secs(12), sampling).await;
        assert!(ended.is_err());
        assert_eq!(samples.get(), 3);
    }

    #[tokio::test]
    async fn a_disk_that_hangs_takes_no_other_number_with_it() {
        let rounds = rounds();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hanging = rounds.disk.ask(move || {
            let _ = held.recv();
            None
        });
        assert!(hanging.now_or_never().is_none());
        let samples = rounds.once().await.unwrap();
        let told = serde_json::to_value(&samples.machine).unwrap();
        assert!(told["disk"].is_null());
        assert!(told["memory"]["total_bytes"].as_u64().unwrap() > 0);
        drop(release);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_and_a_silence_cost_one_round_each() {
        let (rounds, heartbeat) = (rounds(), Heartbeats::default().start("it", PERIOD));
        let (count, told) = (Cell::new(0), RefCell::new(Vec::new()));
        let round = async || {
            count.set(count.get() + 1);
            match count.get() {
                1 => panic!("planted"),
                2 => None,
                _ => rounds.once().await,
            }
        };
        let keep = |samples: Option<Arc<Samples>>| told.borrow_mut().push(samples.is_some());
        let sampling = for_ever(round, &heartbeat, keep);
        assert!(timeout(Duration::from_secs(12), sampling).await.is_err());
        assert_eq!(told.into_inner(), [false, true]);
    }

    #[tokio::test]
    async fn the_task_is_expected_until_it_is_told_to_end() {
        let heartbeats = Heartbeats::default();
        let token = CancellationToken::new();
        let sampler = Sampler::start_with("/", token.clone(), &heartbeats);
        assert_eq!(heartbeats.expected(), 1);
        token.cancel();
        sampler.stopped().await;
        assert_eq!(heartbeats.expected(), 0);
    }
}
