//! Checks of what a process lives on: memory, disk, file descriptors, the clock, its pools and its
//! own tasks.
//!
//! | check | name | what it looks at |
//! | --- | --- | --- |
//! | [`MemoryCheck`] | `system.memory` | the control groups that hold the process (v1 and v2), and the machine |
//! | [`DiskCheck`] | `system.disk` | space and inodes of a file system, and whether it can be written |
//! | [`FileDescriptorCheck`] | `system.file_descriptors` | open ones against the soft limit |
//! | [`ClockCheck`] | `system.clock` | the wall clock against a reference, and whether it was stepped |
//! | [`PoolCheck`] | given, as in `database.pool` | whether requests wait for a pool that is all in use |
//! | [`HeartbeatCheck`] | `process.heartbeats` | whether the tasks of the process are still at work |
//!
//! All but the last are optional checks of readiness and diagnostics: a shortage degrades a
//! process, and does not take it out of traffic, which would load the others the more. The
//! heartbeats are critical, and belong to liveness: only a restart brings a stuck task back.
//!
//! What may block asks on a thread that may, and never more than once at a time, so that a dead
//! network mount costs one such thread and no runtime's. What can be wrong is told apart by
//! [`codes`].

pub mod codes;

mod cgroup;
mod flight;
mod headroom;
mod kernel;
mod quantity;
mod space;

mod clock;
mod descriptors;
mod disk;
mod heartbeats;
mod memory;
mod pool;

use std::time::Duration;

use tria_check::{CheckMeta, Code, Cost, Criticality, Group};

pub(crate) use self::{
    cgroup::processors,
    descriptors::open_files,
    flight::Flight,
    headroom::Headroom,
    kernel::{Kernel, value_of},
    quantity::percent,
    space::Space,
};
pub use self::{
    clock::ClockCheck, descriptors::FileDescriptorCheck, disk::DiskCheck,
    heartbeats::HeartbeatCheck, memory::MemoryCheck, pool::PoolCheck,
};

/// An optional check of readiness and diagnostics that asks nobody outside the machine.
fn optional(meta: CheckMeta, period: Duration, codes: &'static [Code]) -> CheckMeta {
    meta.groups([Group::Readiness, Group::Diagnostics])
        .criticality(Criticality::Optional)
        .cost(Cost::Local)
        .timeout(Duration::from_secs(2))
        .period(period)
        .codes(codes)
}
