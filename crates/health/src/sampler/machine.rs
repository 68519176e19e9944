//! Numbers of the machine, as far as this process may use it.

use std::{sync::Arc, time::SystemTime};

use serde::{Serialize, Serializer};
use sysinfo::System;

use crate::{
    resources::{Headroom, Kernel, Space, percent, processors},
    timestamp::rfc3339,
};

/// The numbers of the machine, for operators: those that readiness tells, and more. What the
/// machine does not tell is null.
#[derive(Clone, Debug, Serialize)]
pub struct MachineSample {
    #[serde(flatten, serialize_with = "shared")]
    pub(crate) sample: Arc<Sample>,
    /// How many tasks ran or wanted to, on average of 1, 5 and 15 minutes.
    load_average: Option<[f64; 3]>,
    limits: Limits,
}

/// What readiness tells. Memory is what this process may take: where a control group limits it to
/// less than the machine has, the group's.
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

/// What control groups set; null where the machine is the only limit.
#[derive(Clone, Copy, Debug, Serialize)]
struct Limits {
    memory_bytes: Option<u64>,
    /// How many processors' time the process may take, as in 1.5.
    processors: Option<f64>,
}

/// What is kept from sample to sample.
pub(super) struct Source {
    kernel: Kernel,
    /// None where this system tells nothing.
    system: Option<System>,
    is_first: bool,
}

fn shared<S: Serializer>(sample: &Sample, serializer: S) -> Result<S::Ok, S::Error> {
    sample.serialize(serializer)
}

// === impl Source ===

impl Source {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            system: System::new().ok(),
            is_first: true,
        }
    }

    pub(super) fn sample(&mut self, disk: Option<Space>) -> MachineSample {
        let mut used_percent = None;
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            let load = f64::from(system.global_cpu_usage());
            used_percent = (!self.is_first).then(|| (load * 10.0).round() / 10.0);
        }
        self.is_first = false;
        let headroom = Headroom::read(&self.kernel);
        let sample = Sample {
            sampled_at: rfc3339(SystemTime::now()),
            cpu: Cpu { used_percent },
            memory: headroom
                .as_ref()
                .map(|headroom| Room::new(headroom.total_bytes, headroom.available_bytes)),
            disk: disk.map(|disk| Room::new(disk.total_bytes, disk.available_bytes)),
        };
        MachineSample {
            sample: Arc::new(sample),
            load_average: self.kernel.load_average(),
            limits: Limits {
                memory_bytes: headroom.and_then(|headroom| headroom.group_limit_bytes),
                processors: processors(&self.kernel),
            },
        }
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

// === impl Room ===

impl Room {
    fn new(total_bytes: u64, available_bytes: u64) -> Self {
        let used = total_bytes.saturating_sub(available_bytes);
        Self {
            total_bytes,
            available_bytes,
            used_percent: percent(used, total_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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

    #[test]
    fn the_machine_tells_its_numbers() {
        let mut source = Source::new(Kernel::default());
        let disk = || Space::of(Path::new(".")).ok();
        let first = source.sample(disk());
        assert_eq!(first.sample.cpu.used_percent, None);
        // The load is that of a time in between, and sysinfo wants some of it.
        let begun = std::time::Instant::now();
        while begun.elapsed() < sysinfo::MINIMUM_CPU_UPDATE_INTERVAL * 2 {
            std::hint::black_box(0_u64);
        }
        let second = source.sample(disk());
        let load = second.sample.cpu.used_percent.unwrap();
        assert!(load > 0.0 && load <= 100.0, "{load}");
        let memory = second.sample.memory.unwrap();
        assert!(memory.total_bytes > 0 && memory.available_bytes <= memory.total_bytes);
        assert!(memory.used_percent > 0.0 && memory.used_percent <= 100.0);
        assert!(second.sample.disk.unwrap().total_bytes > 0);
        let told = serde_json::to_value(&second).unwrap();
        let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
        let all = [
            "cpu",
            "disk",
            "limits",
            "load_average",
            "memory",
            "sampled_at",
        ];
        assert_eq!(keys, all);
    }
}
