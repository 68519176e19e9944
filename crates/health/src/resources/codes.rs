//! The closed list of what the checks of resources can find.

use tria_check::Code;

/// Much of the memory that the process may take is taken.
pub const MEMORY_HIGH: Code = Code::new("memory_high");
/// Nearly all of the memory that the process may take is taken.
pub const MEMORY_EXHAUSTED: Code = Code::new("memory_exhausted");
/// The control group is near `memory.high`, from where on the kernel slows its processes down.
pub const MEMORY_THROTTLED: Code = Code::new("memory_throttled");
/// The kernel's files cannot be read.
pub const UNREADABLE: Code = Code::new("unreadable");

/// Little space is left.
pub const DISK_LOW: Code = Code::new("disk_low");
/// Next to no space is left.
pub const DISK_FULL: Code = Code::new("disk_full");
/// Few files can still be created.
pub const INODES_LOW: Code = Code::new("inodes_low");
/// Next to no files can be created, however much space is left.
pub const INODES_FULL: Code = Code::new("inodes_full");
/// The file system takes no writes.
pub const DISK_READ_ONLY: Code = Code::new("disk_read_only");
/// There is nothing at the path.
pub const PATH_MISSING: Code = Code::new("path_missing");
/// The file system does not answer: mostly a network mount whose server is gone.
pub const DISK_HUNG: Code = Code::new("disk_hung");
/// The file system answers with an error.
pub const DISK_ERROR: Code = Code::new("disk_error");

/// Many of the file descriptors that the process may have are open.
pub const FILE_DESCRIPTORS_HIGH: Code = Code::new("file_descriptors_high");
/// Nearly all of the file descriptors that the process may have are open.
pub const FILE_DESCRIPTORS_EXHAUSTED: Code = Code::new("file_descriptors_exhausted");

/// The clock differs from the reference.
pub const CLOCK_SKEWED: Code = Code::new("clock_skewed");
/// The clock differs so much that tokens, certificates and the order of events go wrong.
pub const CLOCK_WRONG: Code = Code::new("clock_wrong");
/// The clock was set while the process ran. Told once.
pub const CLOCK_STEPPED: Code = Code::new("clock_stepped");

/// All connections of a pool are in use, and requests wait for one.
pub const POOL_BUSY: Code = Code::new("pool_busy");

/// A task of the process has not been heard of in time.
pub const TASK_STUCK: Code = Code::new("task_stuck");

/// What a [`MemoryCheck`](super::MemoryCheck) can find.
pub const MEMORY: &[Code] = &[MEMORY_HIGH, MEMORY_EXHAUSTED, MEMORY_THROTTLED, UNREADABLE];

/// What a [`DiskCheck`](super::DiskCheck) can find.
pub const DISK: &[Code] = &[
    DISK_LOW,
    DISK_FULL,
    INODES_LOW,
    INODES_FULL,
    DISK_READ_ONLY,
    PATH_MISSING,
    DISK_HUNG,
    DISK_ERROR,
];

/// What a [`FileDescriptorCheck`](super::FileDescriptorCheck) can find.
pub const FILE_DESCRIPTORS: &[Code] = &[
    FILE_DESCRIPTORS_HIGH,
    FILE_DESCRIPTORS_EXHAUSTED,
    UNREADABLE,
];

/// What a [`ClockCheck`](super::ClockCheck) can find.
pub const CLOCK: &[Code] = &[CLOCK_SKEWED, CLOCK_WRONG, CLOCK_STEPPED];

/// What a [`PoolCheck`](super::PoolCheck) can find.
pub const POOL: &[Code] = &[POOL_BUSY];

/// What a [`HeartbeatCheck`](super::HeartbeatCheck) can find.
pub const HEARTBEATS: &[Code] = &[TASK_STUCK];

/// All of them, each once.
pub const ALL: &[Code] = &[
    MEMORY_HIGH,
    MEMORY_EXHAUSTED,
    MEMORY_THROTTLED,
    UNREADABLE,
    DISK_LOW,
    DISK_FULL,
    INODES_LOW,
    INODES_FULL,
    DISK_READ_ONLY,
    PATH_MISSING,
    DISK_HUNG,
    DISK_ERROR,
    FILE_DESCRIPTORS_HIGH,
    FILE_DESCRIPTORS_EXHAUSTED,
    CLOCK_SKEWED,
    CLOCK_WRONG,
    CLOCK_STEPPED,
    POOL_BUSY,
    TASK_STUCK,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_what_the_checks_declare_together() {
        let lists = [MEMORY, DISK, FILE_DESCRIPTORS, CLOCK, POOL, HEARTBEATS];
        let mut together: Vec<Code> = Vec::new();
        for code in lists.concat() {
            if !together.contains(&code) {
                together.push(code);
            }
        }
        assert_eq!(together, ALL);
    }
}
