//! The signals that a process hears.

use std::{
    io,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    exit_code,
    requests::{Desk, Requests},
};

/// Listens to SIGTERM, SIGINT, SIGHUP and SIGUSR1 for as long as the process lives.
///
/// Install it first of all in `main`: it needs no runtime. The first SIGTERM or SIGINT stays
/// readable for ever, so that one that comes while the process still reads its settings is not
/// lost. A second SIGINT, or any of the two one second or more after the first, ends the process
/// at once with exit code 128 + n. Repeats nearer than that are ignored: supervisors and wrappers
/// are known to send the same signal twice.
///
/// SIGHUP asks to reload and SIGUSR1 to tell how things stand. Neither ever ends the process,
/// whether somebody answers it or not.
///
/// Clones listen to the same signals; dropping them does not end the listening.
#[derive(Clone, Debug)]
pub struct Signals {
    first: watch::Receiver<Option<Signal>>,
    requested: CancellationToken,
    reloads: Requests,
    dumps: Requests,
}

/// A signal that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Signal {
    /// SIGTERM, as supervisors send it.
    #[serde(rename = "SIGTERM")]
    Terminate,
    /// SIGINT, as Ctrl-C sends it.
    #[serde(rename = "SIGINT")]
    Interrupt,
}

/// From this distance to the first signal on, another one is meant.
const REPEAT_WINDOW: Duration = Duration::from_secs(1);

/// How long a forced exit waits for its line in the log: a log that is stuck must not keep the
/// process alive.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What the signals so far amount to.
#[derive(Debug, Default)]
struct Escalation {
    first: Option<Instant>,
    interrupted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Shutdown,
    Repeat,
    Force,
}

/// What the listening thread tells, and whom.
struct Ears {
    first: watch::Sender<Option<Signal>>,
    requested: CancellationToken,
    reload: Desk,
    dump: Desk,
    notes: SyncSender<Note>,
}

/// A line for the log.
struct Note {
    what: Heard,
    /// Answered when it is written.
    written: SyncSender<()>,
}

#[derive(Clone, Copy)]
enum Heard {
    End(Verdict, Signal),
    Reload,
    Dump,
}

// === impl Signals ===

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// If the handlers cannot be registered or the threads cannot be started.
    pub fn install() -> io::Result<Self> {
        let incoming = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
        let (sender, first) = watch::channel(None);
        let requested = CancellationToken::new();
        let (reload, reloads) = Desk::open();
        let (dump, dumps) = Desk::open();
        // Two threads: one that never blocks on a log, so that a second signal is always heard.
        let (notes, unwritten) = mpsc::sync_channel(16);
        thread::Builder::new()
            .name("signal-log".into())
            .spawn(move || write_notes(&unwritten))?;
        let ears = Ears {
            first: sender,
            requested: requested.clone(),
            reload,
            dump,
            notes,
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || listen(incoming, &ears))?;
        Ok(Self {
            first,
            requested,
            reloads,
            dumps,
        })
    }

    /// The first signal to end; none until it comes.
    pub fn first(&self) -> watch::Receiver<Option<Signal>> {
        self.first.clone()
    }

    /// A token that is cancelled at the first signal to end. It outlives every phase of a
    /// lifecycle.
    pub fn shutdown_requested(&self) -> CancellationToken {
        // A child, so that cancelling it here or there is no signal to the others.
        self.requested.child_token()
    }

    /// Each SIGHUP since the installation: whoever answers them reads the settings anew.
    pub fn reloads(&self) -> Requests {
        self.reloads.clone()
    }

    /// Each SIGUSR1 since the installation: whoever answers them tells how things stand.
    pub fn dumps(&self) -> Requests {
        self.dumps.clone()
    }

    /// Answers each SIGHUP since the installation with `work`, on a thread of its own: it may
    /// block, and it is called also while every thread of the runtime is blocked. If it panics,
    /// that is logged, and it is called again for the next one.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn on_reload(&self, work: impl FnMut() + Send + 'static) -> io::Result<()> {
        self.reloads().answered_by("on-reload", work)
    }

    /// Answers each SIGUSR1 since the installation with `work`, as
    /// [`on_reload`](Self::on_reload) does each SIGHUP.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn on_dump(&self, work: impl FnMut() + Send + 'static) -> io::Result<()> {
        self.dumps().answered_by("on-dump", work)
    }
}

fn listen(mut incoming: signal_hook::iterator::Signals, ears: &Ears) {
    let mut escalation = Escalation::default();
    for number in incoming.forever() {
        let heard = match (number, Signal::from_number(number)) {
            (_, Some(signal)) => Heard::End(escalation.judge(signal, Instant::now()), signal),
            (SIGHUP, None) => Heard::Reload,
            (_, None) => Heard::Dump,
        };
        match heard {
            Heard::End(Verdict::Shutdown, signal) => {
                ears.first.send_replace(Some(signal));
                ears.requested.cancel();
            }
            Heard::End(Verdict::Repeat | Verdict::Force, _) => {}
            Heard::Reload => ears.reload.ask(),
            Heard::Dump => ears.dump.ask(),
        }
        let (written, is_written) = mpsc::sync_channel(1);
        // A full or broken log loses the line, not the signal.
        let _ = ears.notes.try_send(Note {
            what: heard,
            written,
        });
        if let Heard::End(Verdict::Force, signal) = heard {
            let _ = is_written.recv_timeout(LAST_WORDS);
            signal_hook::low_level::exit(exit_code::forced_by(signal).into());
        }
    }
}

fn write_notes(unwritten: &Receiver<Note>) {
    for Note { what, written } in unwritten {
        match what {
            Heard::End(verdict, signal) => {
                let signal = signal.name();
                match verdict {
                    Verdict::Shutdown => tracing::info!(signal, "signal received"),
                    Verdict::Repeat => tracing::warn!(signal, "repeated signal ignored"),
                    Verdict::Force => tracing::error!(signal, "second signal, exiting at once"),
                }
            }
            Heard::Reload => tracing::info!(signal = "SIGHUP", "reload requested"),
            Heard::Dump => tracing::info!(signal = "SIGUSR1", "report requested"),
        }
        let _ = written.try_send(());
    }
}

// === impl Signal ===

impl Signal {
    /// Its name, as in `SIGTERM`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// Its number, as POSIX fixes it.
    pub fn number(self) -> u8 {
        match self {
            Self::Terminate => 15,
            Self::Interrupt => 2,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        [Self::Terminate, Self::Interrupt]
            .into_iter()
            .find(|signal| i32::from(signal.number()) == number)
    }
}

// === impl Escalation ===

impl Escalation {
    fn judge(&mut self, signal: Signal, now: Instant) -> Verdict {
        let interrupted_before = self.interrupted;
        self.interrupted |= signal == Signal::Interrupt;
        match self.first {
            None => {
                self.first = Some(now);
                Verdict::Shutdown
            }
            Some(first) if now.duration_since(first) >= REPEAT_WINDOW => Verdict::Force,
            Some(_) if signal == Signal::Interrupt && interrupted_before => Verdict::Force,
            Some(_) => Verdict::Repeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_platform() {
        assert_eq!(i32::from(Signal::Terminate.number()), SIGTERM);
        assert_eq!(i32::from(Signal::Interrupt.number()), SIGINT);
    }

    #[test]
    fn only_a_signal_that_is_meant_forces_an_exit() {
        use Signal::{Interrupt, Terminate};
        use Verdict::{Force, Repeat, Shutdown};
        let table: [&[(Signal, u64, Verdict)]; 6] = [
            &[
                (Terminate, 0, Shutdown),
                (Terminate, 10, Repeat),
                (Terminate, 999, Repeat),
            ],
            // The second is counted from the first, not from its last repeat.
            &[
                (Terminate, 0, Shutdown),
                (Terminate, 600, Repeat),
                (Terminate, 1000, Force),
            ],
            &[(Interrupt, 0, Shutdown), (Interrupt, 1, Force)],
            // A terminal and a wrapper, in either order, is one wish.
            &[(Interrupt, 0, Shutdown), (Terminate, 5, Repeat)],
            &[
                (Terminate, 0, Shutdown),
                (Interrupt, 5, Repeat),
                (Interrupt, 300, Force),
            ],
            &[(Terminate, 0, Shutdown), (Interrupt, 2000, Force)],
        ];
        for signals in table {
            let start = Instant::now();
            let mut escalation = Escalation::default();
            for (signal, at_ms, verdict) in signals {
                let at = start + Duration::from_millis(*at_ms);
                assert_eq!(
                    escalation.judge(*signal, at),
                    *verdict,
                    "{signals:?} at {at_ms}"
                );
            }
        }
    }
}
