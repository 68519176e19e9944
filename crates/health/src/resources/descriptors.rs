//! The check of file descriptors.

use std::{fs, io, time::Duration};

use rustix::{
    io::Errno,
    process::{Resource, getrlimit},
};
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PrivateText, PublicText};

use super::{codes, flight::Flight, kernel::Kernel, optional, quantity::percent};

/// Says how many file descriptors the process has open of those that its soft limit
/// (`RLIMIT_NOFILE`) allows. Beyond it no connection is accepted and no file opened.
///
/// - Warn `file_descriptors_high` at 80 %, Fail `file_descriptors_exhausted` at 95 %.
///
/// Observed are `file_descriptors_open`, `file_descriptors_limit` and
/// `file_descriptors_used_percent`.
#[derive(Debug)]
pub struct FileDescriptorCheck {
    meta: CheckMeta,
    warn_at: f64,
    fail_at: f64,
    counting: Flight<io::Result<u64>>,
}

// === impl FileDescriptorCheck ===

impl FileDescriptorCheck {
    /// A check named `system.file_descriptors` of this process.
    pub fn new() -> Self {
        let meta = CheckMeta::new("system.file_descriptors");
        Self {
            meta: optional(meta, Duration::from_secs(10), codes::FILE_DESCRIPTORS),
            warn_at: 80.0,
            fail_at: 95.0,
            counting: Flight::default(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::FILE_DESCRIPTORS);
        self
    }

    /// Sets from how many percent on it warns (80).
    pub fn warn_at(mut self, percent: f64) -> Self {
        self.warn_at = percent;
        self
    }

    /// Sets from how many percent on it fails (95).
    pub fn fail_at(mut self, percent: f64) -> Self {
        self.fail_at = percent;
        self
    }

    fn judge(&self, open: u64, limit: Option<u64>) -> Outcome {
        let Some(limit) = limit else {
            let told = PublicText::filled("{} files are open, without a limit", &[open.into()]);
            return Outcome::from(Finding::pass(told)).observe(
                "file_descriptors_open",
                open,
                "descriptors",
            );
        };
        let used = percent(open, limit);
        let told = PublicText::filled(
            "{} of {} file descriptors are open",
            &[open.into(), limit.into()],
        );
        let finding = if used >= self.fail_at {
            exhausted(told)
        } else if used >= self.warn_at {
            Finding::warn(codes::FILE_DESCRIPTORS_HIGH, told).remedy(REMEDY)
        } else {
            Finding::pass(told)
        };
        Outcome::from(finding)
            .observe("file_descriptors_open", open, "descriptors")
            .observe("file_descriptors_limit", limit, "descriptors")
            .observe("file_descriptors_used_percent", used, "%")
    }
}

const REMEDY: &str = "raise the limit (`ulimit -n`, LimitNOFILE), or look for connections and \
                      files that are not closed";

fn exhausted(told: PublicText) -> Finding {
    let finding = Finding::fail(codes::FILE_DESCRIPTORS_EXHAUSTED, told);
    finding.transient(None).remedy(REMEDY)
}

/// How many file descriptors this process has open.
pub(crate) fn open_files(kernel: &Kernel) -> io::Result<u64> {
    let listed = fs::read_dir(kernel.path("/proc/self/fd"))?.count();
    // One of them is the list's own.
    Ok(u64::try_from(listed).unwrap_or(u64::MAX).saturating_sub(1))
}

/// Whether there was no descriptor left even for counting them.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

impl Default for FileDescriptorCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for FileDescriptorCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let count = || open_files(&Kernel::default());
        match self.counting.ask(count).await {
            Ok(open) => self.judge(open, getrlimit(Resource::Nofile).current),
            Err(error) if is_out_of_descriptors(&error) => {
                exhausted("there is no file descriptor left".into()).into()
            }
            Err(error) => Finding::unknown(
                codes::UNREADABLE,
                "the kernel does not tell which files are open",
            )
            .remedy("let the process read /proc/self/fd")
            .detail(PrivateText::from_error(&error))
            .into(),
        }
    }
}
