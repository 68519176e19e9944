//! The check of a disk.

use std::{path::PathBuf, time::Duration};

use rustix::io::Errno;
use tokio::time::timeout;
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PrivateText, PublicText};

use super::{
    codes,
    flight::Flight,
    optional,
    quantity::{percent, size},
    space::Space,
};

const GIB: u64 = 1 << 30;

/// Says whether the file system that holds a path has room, for bytes and for files, and takes
/// writes.
///
/// - Warn `disk_low` below 10 % and 10 GiB, Fail `disk_full` below 2 % and 1 GiB. Both must be
///   true: a tenth of a large disk is no shortage, and a few hundred MiB of a small one are none
///   either.
/// - Warn `inodes_low` below 10 %, Fail `inodes_full` below 2 %, where the file system counts them.
/// - Fail `disk_read_only`, `path_missing`, `disk_error`, and `disk_hung` where no answer comes. A
///   question that hangs is not asked a second time.
///
/// Observed are `disk_total_bytes`, `disk_available_bytes`, `disk_free_percent`, `inodes_total`
/// and `inodes_available`.
#[derive(Debug)]
pub struct DiskCheck {
    meta: CheckMeta,
    path: PathBuf,
    warn_below: Floor,
    fail_below: Floor,
    may_be_read_only: bool,
    asking: Flight<rustix::io::Result<Space>>,
}

/// Less than both is a shortage.
#[derive(Clone, Copy, Debug)]
struct Floor {
    percent: f64,
    bytes: u64,
}

// === impl DiskCheck ===

impl DiskCheck {
    /// A check named `system.disk` of the file system that holds `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let period = Duration::from_secs(30);
        Self {
            meta: optional(CheckMeta::new("system.disk"), period, codes::DISK),
            path: path.into(),
            warn_below: Floor {
                percent: 10.0,
                bytes: 10 * GIB,
            },
            fail_below: Floor {
                percent: 2.0,
                bytes: GIB,
            },
            may_be_read_only: false,
            asking: Flight::default(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::DISK);
        self
    }

    /// Sets below what it warns (10 %, 10 GiB); the percentage holds for inodes too.
    pub fn warn_below(mut self, percent: f64, bytes: u64) -> Self {
        self.warn_below = Floor { percent, bytes };
        self
    }

    /// Sets below what it fails (2 %, 1 GiB); the percentage holds for inodes too.
    pub fn fail_below(mut self, percent: f64, bytes: u64) -> Self {
        self.fail_below = Floor { percent, bytes };
        self
    }

    /// Says that nobody writes there, as where the root of a container is read-only: then such a
    /// file system passes, however full it is.
    pub fn may_be_read_only(mut self) -> Self {
        self.may_be_read_only = true;
        self
    }

    fn judge(&self, space: Space) -> Outcome {
        let free = percent(space.available_bytes, space.total_bytes);
        let outcome = match (space.is_read_only, self.may_be_read_only) {
            (true, true) => Finding::pass("the file system is read-only, as it may be").into(),
            (true, false) => read_only().into(),
            (false, _) => Outcome::new([self.of_bytes(space, free), self.of_inodes(space)]),
        };
        outcome
            .observe("disk_total_bytes", space.total_bytes, "bytes")
            .observe("disk_available_bytes", space.available_bytes, "bytes")
            .observe("disk_free_percent", free, "%")
            .observe("inodes_total", space.inodes, "inodes")
            .observe("inodes_available", space.inodes_available, "inodes")
    }

    fn of_bytes(&self, space: Space, free: f64) -> Finding {
        let told = PublicText::filled(
            "{} % of the disk is free, {} of {}",
            &[
                free.into(),
                size(space.available_bytes),
                size(space.total_bytes),
            ],
        );
        let remedy = "free some space, or make the disk larger";
        let is_below = |floor: Floor| free < floor.percent && space.available_bytes < floor.bytes;
        // A file system that holds nothing, as `proc`, has no room to run out of.
        if space.total_bytes == 0 {
            Finding::pass(told)
        } else if is_below(self.fail_below) {
            let finding = Finding::fail(codes::DISK_FULL, told);
            finding.transient(None).remedy(remedy)
        } else if is_below(self.warn_below) {
            Finding::warn(codes::DISK_LOW, told).remedy(remedy)
        } else {
            Finding::pass(told)
        }
    }

    fn of_inodes(&self, space: Space) -> Finding {
        if space.inodes == 0 {
            return Finding::pass("the file system does not count its files");
        }
        let free = percent(space.inodes_available, space.inodes);
        let told = PublicText::filled(
            "{} % of the disk's inodes are free, {} of {}",
            &[
                free.into(),
                space.inodes_available.into(),
                space.inodes.into(),
            ],
        );
        let remedy = "remove small files, or make a file system with more inodes";
        if free < self.fail_below.percent {
            let finding = Finding::fail(codes::INODES_FULL, told);
            finding.transient(None).remedy(remedy)
        } else if free < self.warn_below.percent {
            Finding::warn(codes::INODES_LOW, told).remedy(remedy)
        } else {
            Finding::pass(told)
        }
    }

    /// An answer that tells nothing of the room.
    fn refused(&self, error: Errno) -> Finding {
        let finding = match error {
            Errno::NOENT | Errno::NOTDIR => {
                let told = "there is nothing at the path whose disk is to be checked";
                Finding::fail(codes::PATH_MISSING, told)
                    .remedy("mount or create it, or correct the path")
            }
            _ => Finding::fail(codes::DISK_ERROR, "the file system answers with an error")
                .transient(None)
                .remedy(
                    "see the detail; look at the mount, its device or server, and who may read",
                ),
        };
        finding.detail(PrivateText::new(format!(
            "{}: {error}",
            self.path.display()
        )))
    }

    fn hung(&self) -> Finding {
        Finding::fail(codes::DISK_HUNG, "the file system does not answer")
            .transient(None)
            .remedy("look at the device, or at the server of a network mount")
            .detail(PrivateText::new(self.path.display().to_string()))
    }
}

fn read_only() -> Finding {
    Finding::fail(codes::DISK_READ_ONLY, "the file system takes no writes")
        .remedy("see in the kernel's log why, and mount it anew; a full check may be due")
}

impl Check for DiskCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let path = self.path.clone();
        let asking = self.asking.ask(move || Space::of(&path));
        // A little before the runner's deadline, so that it is told what hangs.
        match timeout(cx.remaining().mul_f64(0.9), asking).await {
            Ok(Ok(space)) => self.judge(space),
            Ok(Err(error)) => self.refused(error).into(),
            Err(_elapsed) => self.hung().into(),
        }
    }
}
