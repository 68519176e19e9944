//! Numbers of the machine, taken in the background.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use serde::Serialize;
use sysinfo::{DiskRefreshKind, Disks, MemoryRefreshKind, System};
use tokio::task::spawn_blocking;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use crate::timestamp::rfc3339;

/// The time between two samples. The load of the processors is that of the time in between.
const PERIOD: Duration = Duration::from_secs(5);

/// The load of the processors, the memory and the room on one disk, sampled every 5 s in the
/// background: a request only reads the last sample. Clones share one sampler.
#[derive(Clone, Debug)]
pub struct Sampler {
    last: Arc<ArcSwapOption<Sample>>,
    tasks: TaskTracker,
}

/// One sample on the wire. What the machine does not tell is null.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    sampled_at: String,
    cpu: Cpu,
    memory: Option<Room>,
    disk: Option<Room>,
}

#[derive(Clone, Debug, Serialize)]
struct Cpu {
    /// Of all processors together, 0 to 100; null in the first sample, which has no time in
    /// between yet.
    used_percent: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Room {
    total_bytes: u64,
    available_bytes: u64,
    used_percent: f64,
}

/// What is kept from sample to sample.
struct Source {
    path: PathBuf,
    /// None where this system tells nothing.
    system: Option<System>,
    is_first: bool,
}

// === impl Sampler ===

impl Sampler {
    /// Starts to sample the machine, and the disk that holds `path`, until `token` is cancelled.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(path: impl Into<PathBuf>, token: CancellationToken) -> Self {
        let sampler = Self {
            last: Arc::default(),
            tasks: TaskTracker::new(),
        };
        let last = Arc::clone(&sampler.last);
        let source = Source::new(path.into());
        sampler.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = sample_for_ever(source, |sample| last.store(sample)) => {}
            }
        });
        sampler.tasks.close();
        sampler
    }

    /// Waits until sampling has ended; cancel its token first.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }

    pub(crate) fn last(&self) -> Option<Arc<Sample>> {
        self.last.load_full()
    }
}

/// Hands each sample to `keep`, and nothing where sampling has come to an end.
async fn sample_for_ever(mut source: Source, keep: impl Fn(Option<Arc<Sample>>)) {
    loop {
        // The kernel's files are read synchronously, and a dead disk may hold the reader up.
        let sampled = spawn_blocking(move || {
            let sample = source.sample();
            (source, sample)
        });
        let Ok((back, sample)) = sampled.await else {
            warn!("sampling the machine panicked; its numbers are no longer told");
            keep(None);
            return;
        };
        source = back;
        keep(Some(Arc::new(sample)));
        tokio::time::sleep(PERIOD).await;
    }
}

// === impl Sample ===

impl Sample {
    /// When it was taken.
    pub(crate) fn sampled_at(&self) -> &str {
        &self.sampled_at
    }

    /// How much of what is in use, 0 to 100.
    pub(crate) fn utilizations(&self) -> [(&'static str, Option<f64>); 3] {
        let used = |room: &Option<Room>| room.as_ref().map(|room| room.used_percent);
        [
            ("cpu", self.cpu.used_percent),
            ("memory", used(&self.memory)),
            ("disk", used(&self.disk)),
        ]
    }
}

// === impl Source ===

impl Source {
    fn new(path: PathBuf) -> Self {
        let path = path.canonicalize().unwrap_or(path);
        Self {
            path,
            system: System::new().ok(),
            is_first: true,
        }
    }

    fn sample(&mut self) -> Sample {
        let mut sample = Sample {
            sampled_at: rfc3339(SystemTime::now()),
            cpu: Cpu { used_percent: None },
            memory: None,
            disk: disk_of(&self.path),
        };
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            let load = f64::from(system.global_cpu_usage());
            sample.cpu.used_percent = (!self.is_first).then(|| tenth(load));
            sample.memory = Some(Room::new(system.total_memory(), system.available_memory()));
        }
        self.is_first = false;
        sample
    }
}

/// The disk that is mounted nearest above `path`; of several on one place, the topmost.
fn disk_of(path: &Path) -> Option<Room> {
    let storage = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(storage).ok()?;
    let above = disks
        .iter()
        .filter(|disk| path.starts_with(disk.mount_point()));
    let nearest = above.max_by_key(|disk| disk.mount_point().components().count())?;
    Some(Room::new(nearest.total_space(), nearest.available_space()))
}

// === impl Room ===

impl Room {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a percentage with one digit needs no 64 bits"
    )]
    fn new(total_bytes: u64, available_bytes: u64) -> Self {
        let used = total_bytes.saturating_sub(available_bytes);
        let used_percent = if total_bytes == 0 {
            0.0
        } else {
            tenth(used as f64 / total_bytes as f64 * 100.0)
        };
        Self {
            total_bytes,
            available_bytes,
            used_percent,
        }
    }
}

fn tenth(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_in_percent_of_the_whole() {
        for (total, available, percent) in [
            (1000, 250, 75.0),
            (3, 1, 66.7),
            (0, 0, 0.0),
            (1000, 1000, 0.0),
            // A file system may count its reserve as available to us and not in the whole.
            (10, 20, 0.0),
        ] {
            let told = Room::new(total, available).used_percent;
            assert!((told - percent).abs() < 1e-9, "{total} {available}: {told}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_taken_every_five_seconds() {
        let samples = std::cell::Cell::new(0);
        let count = |sample: Option<Arc<Sample>>| {
            samples.set(samples.get() + i32::from(sample.is_some()));
            assert!(samples.get() <= 3, "sampled without a pause");
        };
        let source = Source::new(PathBuf::from("/"));
        let sampling = sample_for_ever(source, count);
        let ended = tokio::time::timeout(Duration::from_secs(12), sampling).await;
        assert!(ended.is_err());
        assert_eq!(samples.get(), 3);
    }

    #[test]
    fn the_machine_tells_its_numbers() {
        let mut source = Source::new(PathBuf::from("."));
        let first = source.sample();
        assert_eq!(first.cpu.used_percent, None);
        // The load is that of a time in between, and sysinfo wants some of it.
        let begun = std::time::Instant::now();
        while begun.elapsed() < sysinfo::MINIMUM_CPU_UPDATE_INTERVAL * 2 {
            std::hint::black_box(0_u64);
        }
        let second = source.sample();
        let load = second.cpu.used_percent.unwrap();
        assert!(load > 0.0 && load <= 100.0, "{load}");
        let memory = second.memory.unwrap();
        assert!(memory.total_bytes > 0 && memory.available_bytes <= memory.total_bytes);
        assert!(memory.used_percent > 0.0 && memory.used_percent <= 100.0);
        assert!(second.disk.unwrap().total_bytes > 0);
    }
}
