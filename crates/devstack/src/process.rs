//! One server process: started in a group of its own, watched, paused, stopped, never left behind.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::oneshot;

use crate::{Error, Result};

const POLL: Duration = Duration::from_millis(2);

/// A running child and its log.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    pid: Pid,
    /// Asks the server to end at once, with its own children, before it is killed.
    quick_stop: Signal,
}

impl ServerProcess {
    /// Starts `command` with output appended to `log` and `input` on its standard input.
    pub(crate) async fn spawn(
        mut command: Command,
        log: &Path,
        input: Option<String>,
        quick_stop: Signal,
    ) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::file("open the log", log))?;
        let errors = output
            .try_clone()
            .map_err(Error::file("open the log", log))?;
        command.stdout(output).stderr(errors).process_group(0);
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let program = command.get_program().to_owned();
        let mut child = spawn_from_lasting_thread(command)
            .await
            .map_err(Error::io(format!("run {}", Path::new(&program).display())))?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // A child that ended already is reported by whoever waits for its readiness.
            let _ = pipe.write_all(input.as_bytes());
        }
        let pid = Pid::from_child(&child);
        Ok(Self {
            child,
            pid,
            quick_stop,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is this process that listens on `port`, and not a stranger who came first.
    pub(crate) fn listens_on(&self, port: u16) -> bool {
        let sockets = listening_sockets(port);
        let ours = fs::read_dir(format!("/proc/{}/fd", self.id()));
        // Where the system does not tell, its word has to do.
        let Ok(ours) = ours else { return true };
        ours.flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| sockets.contains(&link))
    }

    /// How it ended, if it did.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends `signal` and waits; whatever is left after `grace` is killed.
    pub(crate) async fn stop(mut self, signal: Signal, grace: Duration) {
        self.resume();
        let _ = kill_process(self.pid, signal);
        let end = Instant::now() + grace;
        while self.exited().is_none() && Instant::now() < end {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Freezes the server with all its children; connections stay open and unanswered.
    pub(crate) fn pause(&self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::STOP);
        }
    }

    /// Undoes [`Self::pause`].
    pub(crate) fn resume(&self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// The process and its descendants, also those that left its group.
    fn family(&self) -> Vec<Pid> {
        let mut family = vec![self.pid];
        let pairs = parents();
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(
                pairs
                    .iter()
                    .filter(|(_, of)| *of == parent)
                    .map(|(child, _)| *child),
            );
            next += 1;
        }
        family
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.exited().is_some() {
            return;
        }
        let family = self.family();
        self.resume();
        let _ = kill_process(self.pid, self.quick_stop);
        let end = Instant::now() + Duration::from_secs(3);
        while self.exited().is_none() && Instant::now() < end {
            std::thread::sleep(POLL);
        }
        if self.exited().is_none() {
            let _ = kill_process_group(self.pid, Signal::KILL);
            for pid in family {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = self.child.wait();
        }
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Starts the command from a thread that lives as long as we do: the signal that ends a child
/// with its parent is sent when the *thread* that started it ends, and a runtime's threads do.
pub(crate) async fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, oneshot::Sender<io::Result<Child>>);
    static ORDERS: OnceLock<mpsc::Sender<Order>> = OnceLock::new();

    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                if let Err(Ok(mut unwanted)) = answer.send(command.spawn()) {
                    let _ = unwanted.kill();
                    let _ = unwanted.wait();
                }
            }
        });
        sender
    });
    let (answer, result) = oneshot::channel();
    let gone = || io::Error::other("the thread that starts servers is gone");
    orders.send((command, answer)).map_err(|_| gone())?;
    result.await.map_err(|_| gone())?
}

/// The sockets that listen on `port`, as links to them are written.
fn listening_sockets(port: u16) -> Vec<PathBuf> {
    const LISTENS: &str = "0A";
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let end = format!(":{port:04X}");
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&end) && fields[3] == LISTENS)
        .map(|fields| PathBuf::from(format!("socket:[{}]", fields[9])))
        .collect()
}

/// Every process with its parent, as far as the system tells.
fn parents() -> Vec<(Pid, Pid)> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| parent_of(&entry.path()))
        .collect()
}

fn parent_of(folder: &Path) -> Option<(Pid, Pid)> {
    let pid = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The name in parentheses may itself contain spaces and parentheses.
    let parent = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    Some((Pid::from_raw(pid)?, Pid::from_raw(parent)?))
}
