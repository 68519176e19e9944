//! Numbers of this process.

use std::{
    fs,
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};
use serde::Serialize;

use crate::{
    resources::{Kernel, open_files, percent, value_of},
    timestamp::rfc3339,
};

/// With more open files than this, looking at each for sockets costs more than it tells.
const MOST_FILES_LOOKED_AT: u64 = 10_000;

/// The numbers of this process, for operators. What the kernel does not tell is null.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProcessSample {
    /// When they were taken, as in `2026-11-23T15:08:59.120Z`.
    pub sampled_at: String,
    /// The number of the process.
    pub pid: u32,
    /// Its threads.
    pub threads: Option<u64>,
    /// What it holds in memory.
    pub resident_bytes: Option<u64>,
    /// What it has reserved of its address space.
    pub virtual_bytes: Option<u64>,
    /// Its open file descriptors.
    pub open_files: Option<u64>,
    /// The soft limit of those; null where there is none.
    pub open_files_limit: Option<u64>,
    /// How many of the open files are sockets: connections, and what listens for them. Null beyond
    /// 10,000 open files.
    pub sockets: Option<u64>,
    /// In percent of one processor, so that two that are busy are 200; null in the first sample,
    /// which has no time in between yet.
    pub cpu_percent: Option<f64>,
}

/// What is kept from sample to sample.
pub(super) struct ProcessSource {
    kernel: Kernel,
    /// When it was sampled last, and how long it had worked by then.
    before: Option<(Instant, Duration)>,
}

// === impl ProcessSource ===

impl ProcessSource {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            before: None,
        }
    }

    pub(super) fn sample(&mut self) -> ProcessSample {
        let status = self.kernel.read("/proc/self/status").unwrap_or_default();
        let number = |key| value_of(&status, key)?.split(' ').next()?.parse().ok();
        let bytes = |key| number(key).map(|kibibytes: u64| kibibytes.saturating_mul(1024));
        let open_files = open_files(&self.kernel).ok();
        ProcessSample {
            sampled_at: rfc3339(SystemTime::now()),
            pid: std::process::id(),
            threads: number("Threads:"),
            resident_bytes: bytes("VmRSS:"),
            virtual_bytes: bytes("VmSize:"),
            open_files,
            open_files_limit: getrlimit(Resource::Nofile).current,
            sockets: open_files
                .filter(|open| *open <= MOST_FILES_LOOKED_AT)
                .and_then(|_| self.sockets()),
            cpu_percent: self.cpu_percent(),
        }
    }

    fn sockets(&self) -> Option<u64> {
        let files = fs::read_dir(self.kernel.path("/proc/self/fd")).ok()?;
        let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        let sockets = targets.filter(|target| target.to_string_lossy().starts_with("socket:"));
        u64::try_from(sockets.count()).ok()
    }

    fn cpu_percent(&mut self) -> Option<f64> {
        let worked = clock_gettime(ClockId::ProcessCPUTime);
        let now = (Instant::now(), Duration::try_from(worked).ok()?);
        let (then, had_worked) = self.before.replace(now)?;
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let worked = now.1.saturating_sub(had_worked);
        Some(percent(
            nanoseconds(worked),
            nanoseconds(now.0.duration_since(then)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn this_process_tells_its_numbers() {
        let mut source = ProcessSource::new(Kernel::default());
        let first = source.sample();
        assert_eq!((first.pid, first.cpu_percent), (std::process::id(), None));
        let held: Vec<UdpSocket> = (0..40)
            .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        let ballast = vec![1_u8; 64 << 20];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(50) {
            std::hint::black_box(&ballast);
        }
        let second = source.sample();
        assert!(second.threads.unwrap() >= 1);
        assert!(second.resident_bytes.unwrap() >= 64 << 20);
        assert!(second.virtual_bytes >= second.resident_bytes);
        assert!(second.sockets.unwrap() >= 40, "{second:?}");
        assert!(second.open_files > second.sockets);
        assert!(
            second
                .open_files_limit
                .is_none_or(|limit| Some(limit) > second.open_files)
        );
        // Other tests of this process work beside this one.
        assert!(second.cpu_percent.unwrap() > 0.0, "{second:?}");
        drop(held);
    }

    #[test]
    fn a_system_without_such_files_tells_what_it_can() {
        let told = ProcessSource::new(Kernel::below("/nowhere")).sample();
        let told = serde_json::to_value(&told).unwrap();
        for key in ["threads", "resident_bytes", "open_files", "sockets"] {
            assert!(told[key].is_null(), "{told}");
        }
        assert_eq!(told["pid"], std::process::id());
    }
}
