//! What a process holds of the machine.

use std::{fs, time::Duration};

/// What a process holds of the machine, as Linux tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Memory that is resident (`VmRSS`), in kB.
    pub resident_kb: u64,
    /// Open file descriptors, sockets included.
    pub open_files: usize,
    /// Sockets among them.
    pub sockets: usize,
    /// Time on a processor since its start, in user and in kernel mode.
    pub cpu: Duration,
}

// === impl Footprint ===

impl Footprint {
    /// What the process holds now.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
        // What is closed in between is not there any more.
        let links = open
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok());
        let kinds: Vec<bool> = links
            .map(|link| link.to_string_lossy().starts_with("socket:"))
            .collect();
        Self {
            resident_kb: resident.unwrap_or_default(),
            open_files: kinds.len(),
            sockets: kinds.iter().filter(|is_socket| **is_socket).count(),
            cpu: cpu(pid),
        }
    }

    /// Memory that is resident, in MB.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn resident_mb(&self) -> f64 {
        self.resident_kb as f64 * 1024.0 / 1e6
    }
}

/// `utime` and `stime` of `proc_pid_stat(5)`, which Linux tells in hundredths of a second.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // The name in brackets may hold spaces; the fields after it are counted from the third on.
    let fields = stat.rsplit_once(')').expect("a name in brackets").1;
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks = fields.map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
