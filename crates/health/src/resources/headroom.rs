//! How much memory a process may still take.

use std::{fs, path::Path};

use super::{
    cgroup::{Groups, Version},
    kernel::{Kernel, number, value_of},
    quantity::percent,
};

/// The first version writes "no limit" as the largest number of whole pages, which differs with
/// the size of a page. No machine has an exbibyte.
const UNLIMITED: u64 = 1 << 60;

/// How much memory this process may still take, by all limits that hold for it: those of its
/// control groups, and the size of the machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Headroom {
    /// The least of the limits.
    pub(crate) total_bytes: u64,
    /// What is left below the limit that leaves the least.
    pub(crate) available_bytes: u64,
    /// Whose limit leaves the least.
    pub(crate) limited_by: Limiter,
    /// The least limit of a control group, where that is less than the machine has.
    pub(crate) group_limit_bytes: Option<u64>,
    /// How near a control group is to `memory.high`, in percent.
    pub(crate) throttle_percent: Option<f64>,
    /// How often the kernel has killed a process of our control group for want of memory.
    pub(crate) oom_kills: Option<u64>,
}

/// Who limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limiter {
    Machine,
    Group(Version),
}

/// One limit, and what is taken of it.
struct Limit {
    by: Limiter,
    bytes: u64,
    used_bytes: u64,
}

// === impl Headroom ===

impl Headroom {
    /// Reads it; none where neither a group nor the machine tells.
    pub(crate) fn read(kernel: &Kernel) -> Option<Self> {
        let machine = kernel.memory().map(|(total, available)| Limit {
            by: Limiter::Machine,
            bytes: total,
            used_bytes: total.saturating_sub(available),
        });
        let groups = Groups::of(kernel, "memory");
        let mut limits = Vec::new();
        let mut throttle_percent: Option<f64> = None;
        let mut oom_kills = None;
        if let Some(Groups { version, folders }) = &groups {
            for folder in folders {
                limits.extend(Limit::of(folder, *version));
                let near = throttle(folder, *version);
                throttle_percent = near.into_iter().chain(throttle_percent).reduce(f64::max);
            }
            let own = folders.first();
            oom_kills = own.and_then(|folder| kills(folder, *version));
        }
        let machine_bytes = machine.as_ref().map_or(u64::MAX, |machine| machine.bytes);
        let group_limits = limits.iter().map(|limit| limit.bytes);
        let group_limit_bytes = group_limits.min().filter(|bytes| *bytes < machine_bytes);
        limits.extend(machine);
        let tightest = limits.iter().min_by_key(|limit| limit.left())?;
        Some(Self {
            total_bytes: limits.iter().map(|limit| limit.bytes).min()?,
            available_bytes: tightest.left(),
            limited_by: tightest.by,
            group_limit_bytes,
            throttle_percent,
            oom_kills,
        })
    }

    /// How much of what it may take is taken.
    pub(crate) fn used_percent(&self) -> f64 {
        if self.total_bytes == 0 {
            return 100.0;
        }
        let left = self.available_bytes.min(self.total_bytes);
        percent(self.total_bytes - left, self.total_bytes)
    }
}

// === impl Limiter ===

impl Limiter {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Group(Version::V1) => "cgroup_v1",
            Self::Group(Version::V2) => "cgroup_v2",
        }
    }
}

// === impl Limit ===

impl Limit {
    /// The limit at which the kernel kills.
    fn of(folder: &Path, version: Version) -> Option<Self> {
        let file = match version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        let bytes = number(&folder.join(file)).filter(|bytes| *bytes < UNLIMITED)?;
        Some(Self {
            by: Limiter::Group(version),
            bytes,
            used_bytes: working_set(folder, version)?,
        })
    }

    fn left(&self) -> u64 {
        self.bytes.saturating_sub(self.used_bytes)
    }
}

/// What is used but for the pages of files that nobody has touched for a while: those the kernel
/// gives back before it kills anybody. It is the measure that Kubernetes evicts by.
fn working_set(folder: &Path, version: Version) -> Option<u64> {
    let (usage, idle) = match version {
        Version::V1 => ("memory.usage_in_bytes", "total_inactive_file"),
        Version::V2 => ("memory.current", "inactive_file"),
    };
    let used = number(&folder.join(usage))?;
    let told = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let idle = value_of(&told, idle).and_then(|bytes| bytes.parse().ok());
    Some(used.saturating_sub(idle.unwrap_or(0)))
}

/// How near a group is to where the kernel slows it down.
fn throttle(folder: &Path, version: Version) -> Option<f64> {
    let high = match version {
        Version::V1 => None,
        Version::V2 => number(&folder.join("memory.high")),
    };
    Some(percent(working_set(folder, version)?, high?))
}

fn kills(folder: &Path, version: Version) -> Option<u64> {
    let file = match version {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    let told = fs::read_to_string(folder.join(file)).ok()?;
    value_of(&told, "oom_kill")?.parse().ok()
}
