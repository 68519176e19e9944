//! The check of memory.

use std::{path::PathBuf, time::Duration};

use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PublicText};

use super::{
    codes,
    flight::Flight,
    headroom::{Headroom, Limiter},
    kernel::Kernel,
    optional,
    quantity::size,
};

/// Says how near the process is to the memory that it may take, by the limit that leaves the
/// least: of its control groups (v1 or v2, its own and those around it), or of the machine.
/// Pages of files that the kernel gives back by itself do not count.
///
/// - Warn `memory_high` at 85 %, Fail `memory_exhausted` at 95 %.
/// - Warn `memory_throttled` where a group is as near to its `memory.high`, at which nobody is
///   killed, but all become slow.
///
/// Observed are `memory_total_bytes`, `memory_available_bytes`, `memory_used_percent`,
/// `memory_limited_by` (`cgroup_v2`, `cgroup_v1` or `machine`), and `oom_kills` where a group
/// counts how often the kernel has killed one of its processes.
#[derive(Debug)]
pub struct MemoryCheck {
    meta: CheckMeta,
    kernel: Kernel,
    warn_at: f64,
    fail_at: f64,
    reading: Flight<Option<Headroom>>,
}

// === impl MemoryCheck ===

impl MemoryCheck {
    /// A check named `system.memory` of this process's memory.
    pub fn new() -> Self {
        let period = Duration::from_secs(10);
        Self {
            meta: optional(CheckMeta::new("system.memory"), period, codes::MEMORY),
            kernel: Kernel::default(),
            warn_at: 85.0,
            fail_at: 95.0,
            reading: Flight::default(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::MEMORY);
        self
    }

    /// Sets from how many percent on it warns (85).
    pub fn warn_at(mut self, percent: f64) -> Self {
        self.warn_at = percent;
        self
    }

    /// Sets from how many percent on it fails (95).
    pub fn fail_at(mut self, percent: f64) -> Self {
        self.fail_at = percent;
        self
    }

    /// Reads the kernel's files (`proc/…` and where control groups are mounted) below `root`
    /// instead of `/`.
    pub fn below(mut self, root: impl Into<PathBuf>) -> Self {
        self.kernel = Kernel::below(root);
        self
    }

    fn judge(&self, headroom: &Headroom) -> Outcome {
        let used = headroom.used_percent();
        let throttled = headroom.throttle_percent.unwrap_or(0.0);
        let told = PublicText::filled(
            "{} % of the memory that this process may use is taken, {} of {} are left",
            &[
                used.into(),
                size(headroom.available_bytes),
                size(headroom.total_bytes),
            ],
        );
        let remedy = match headroom.limited_by {
            Limiter::Group(_) => {
                "raise the memory limit, or find what uses it, before the kernel kills the process"
            }
            Limiter::Machine => {
                "find what uses the machine's memory, or give it more, before the kernel kills a \
                 process"
            }
        };
        let finding = if used >= self.fail_at {
            let finding = Finding::fail(codes::MEMORY_EXHAUSTED, told);
            finding.transient(None).remedy(remedy)
        } else if used >= self.warn_at {
            Finding::warn(codes::MEMORY_HIGH, told).remedy(remedy)
        } else if throttled >= self.warn_at {
            let told = PublicText::filled(
                "{} % of the memory is taken from which on the kernel slows this process down",
                &[throttled.into()],
            );
            Finding::warn(codes::MEMORY_THROTTLED, told)
                .remedy("raise `memory.high` of the control group, or find what uses it")
        } else {
            Finding::pass(told)
        };
        let outcome = Outcome::from(finding)
            .observe("memory_total_bytes", headroom.total_bytes, "bytes")
            .observe("memory_available_bytes", headroom.available_bytes, "bytes")
            .observe("memory_used_percent", used, "%")
            .observe("memory_limited_by", headroom.limited_by.as_str(), "");
        match headroom.oom_kills {
            Some(kills) => outcome.observe("oom_kills", kills, "kills"),
            None => outcome,
        }
    }
}

impl Default for MemoryCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for MemoryCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let kernel = self.kernel.clone();
        // With many dead groups the kernel sums up `memory.stat` for a long while.
        let read = self.reading.ask(move || Headroom::read(&kernel)).await;
        match read {
            Some(headroom) => self.judge(&headroom),
            None => Finding::unknown(codes::UNREADABLE, "the kernel does not tell its memory")
                .remedy("let the process read /proc/meminfo and its control group")
                .into(),
        }
    }
}
