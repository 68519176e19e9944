//! Who deploys, and whether somebody who did still lives.

use serde::{Deserialize, Serialize};

/// Tells processes apart.
pub trait Processes: Send + Sync {
    /// Us.
    fn me(&self) -> Owner;

    /// Whether that process is known to have ended. One on another machine is never known to.
    fn is_gone(&self, owner: &Owner) -> bool;
}

/// A process that deploys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its machine.
    pub host: String,
    /// Within what its number means something: names of machines are not told apart by anybody.
    #[serde(default)]
    pub realm: String,
    /// Its number there.
    pub pid: u32,
    /// When it started, as the machine counts: numbers of processes are used again.
    pub started: u64,
    /// Tells two of the same number apart all the same.
    pub nonce: u64,
}

/// The processes of this machine, as Linux tells them.
#[derive(Clone, Debug)]
pub struct LocalProcesses {
    me: Owner,
}

// === impl Owner ===

impl std::fmt::Display for Owner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "process {} on {}", self.pid, self.host)
    }
}

// === impl LocalProcesses ===

impl LocalProcesses {
    /// Us, as we are now.
    pub fn new() -> Self {
        let pid = std::process::id();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            me: Owner {
                host: host.trim().to_owned(),
                realm: realm(),
                pid,
                started: started(pid).unwrap_or_default(),
                nonce: fastrand::u64(..),
            },
        }
    }
}

impl Default for LocalProcesses {
    fn default() -> Self {
        Self::new()
    }
}

impl Processes for LocalProcesses {
    fn me(&self) -> Owner {
        self.me.clone()
    }

    fn is_gone(&self, owner: &Owner) -> bool {
        // Without a start of our own there is no /proc, and nothing is known.
        owner.host == self.me.host
            && owner.realm == self.me.realm
            && !self.me.realm.is_empty()
            && self.me.started != 0
            && started(owner.pid) != Some(owner.started)
    }
}

/// This run of the machine, and the processes that see each other in it: a container that has the
/// name of another one, or a machine that was copied, is another realm.
fn realm() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let space = std::fs::read_link("/proc/self/ns/pid");
    match (boot, space) {
        (Ok(boot), Ok(space)) => format!("{} {}", boot.trim(), space.display()),
        _ => String::new(),
    }
}

/// When a process started, in ticks since the machine did.
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces and parentheses itself.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_not_gone_and_one_of_our_number_that_started_before_is() {
        let processes = LocalProcesses::new();
        let me = processes.me();
        assert!(me.started > 0);
        assert!(!processes.is_gone(&me));
        let before = Owner {
            started: me.started - 1,
            ..me.clone()
        };
        assert!(processes.is_gone(&before));
        let elsewhere = Owner {
            host: "elsewhere".into(),
            ..before.clone()
        };
        assert!(!processes.is_gone(&elsewhere));
        let of_the_same_name = Owner {
            realm: "another".into(),
            ..before
        };
        assert!(!processes.is_gone(&of_the_same_name));
    }
}
