//! The room on a file system.

use std::path::Path;

use rustix::fs::StatVfsMountFlags;

/// The room on a file system at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) total_bytes: u64,
    /// What is left to those who are not root.
    pub(crate) available_bytes: u64,
    /// How many files it can hold; 0 where it does not count them.
    pub(crate) inodes: u64,
    /// How many more files it can hold.
    pub(crate) inodes_available: u64,
    pub(crate) is_read_only: bool,
}

// === impl Space ===

impl Space {
    /// Asks the file system that holds `path`. Blocks for as long as that takes to answer, which
    /// is for ever where it is a network's and its server is gone.
    pub(crate) fn of(path: &Path) -> rustix::io::Result<Self> {
        let told = rustix::fs::statvfs(path)?;
        Ok(Self {
            total_bytes: told.f_blocks.saturating_mul(told.f_frsize),
            available_bytes: told.f_bavail.saturating_mul(told.f_frsize),
            inodes: told.f_files,
            inodes_available: told.f_favail,
            is_read_only: told.f_flag.contains(StatVfsMountFlags::RDONLY),
        })
    }
}
