//! What the process uses, under the names that Prometheus' own clients use.

use std::{fs, sync::OnceLock};

use sysinfo::{
    MemoryRefreshKind, Process, ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid,
};

use super::page::Page;

/// Reads a few files of the kernel. What this system does not tell has no sample.
pub(super) fn write(page: &mut Page) {
    let mut system = System::new().ok();
    let pid = get_current_pid().ok();
    if let (Some(system), Some(pid)) = (&mut system, pid) {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            kind.without_tasks(),
        );
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    }
    let process = system.as_ref().and_then(|it| it.process(pid?));
    write_process(page, process);
    let help = "The memory that the process may use: the least limit of its control groups, or \
         the memory of the machine.";
    let total = system.as_ref().map(System::total_memory);
    let limit = process.and_then(Process::cgroup_limits);
    let limit = limit.map(|it| it.total_memory).or(total);
    page.gauge("tria_memory_limit_bytes", help)
        .only(limit.filter(|limit| *limit > 0));
}

fn write_process(page: &mut Page, process: Option<&Process>) {
    let seconds = process.map(|it| seconds(it.accumulated_cpu_time()));
    page.counter(
        "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
    )
    .only(seconds);
    page.gauge(
        "process_resident_memory_bytes",
        "Resident memory size in bytes.",
    )
    .only(process.map(Process::memory));
    page.gauge(
        "process_virtual_memory_bytes",
        "Virtual memory size in bytes.",
    )
    .only(process.map(Process::virtual_memory));
    page.gauge("process_open_fds", "Number of open file descriptors.")
        .only(open_files(process));
    page.gauge(
        "process_max_fds",
        "Maximum number of open file descriptors.",
    )
    .only(process.and_then(Process::open_files_limit));
    page.gauge("process_threads", "Number of OS threads in the process.")
        .only(threads());
    page.gauge(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
    )
    .only(process.map(start_time));
}

#[expect(
    clippy::cast_precision_loss,
    reason = "2^52 milliseconds are 142,000 years of computing"
)]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

/// The kernel counts from when the machine was started, which moves when its clock is set: told
/// anew at each scrape, that would look like a restart.
fn start_time(process: &Process) -> u64 {
    static FIRST: OnceLock<u64> = OnceLock::new();
    *FIRST.get_or_init(|| process.start_time())
}

/// Linux 6.2 and later tell the number as the size of the folder, whose entries need not be
/// counted then.
fn open_files(process: Option<&Process>) -> Option<u64> {
    let told = fs::metadata("/proc/self/fd").map_or(0, |folder| folder.len());
    if told > 0 {
        return Some(told);
    }
    let counted = process.and_then(Process::open_files)?;
    u64::try_from(counted).ok()
}

fn threads() -> Option<usize> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    Some(threads.count())
}
