//! What systemd, or another service manager with its protocol, is told.

mod follow;
mod status;

use std::{
    ffi::OsStr,
    fmt, io,
    os::unix::{
        ffi::OsStrExt,
        net::{SocketAddr, UnixDatagram},
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use tria_check::Heartbeats;

/// The service manager that waits for news of this process, as systemd does for `Type=notify`
/// (<https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>).
///
/// A lifecycle that is given one tells it when the process is ready and when it stops, in which
/// phase it is and for what it waits, and asks for more time while a start or a stop goes on.
/// Clones tell the same one.
///
/// The protocol is spoken here and not by a crate, since those read the environment when they
/// please, and do not know sockets without a place in the file system.
#[derive(Clone)]
pub struct ServiceManager {
    socket: Arc<UnixDatagram>,
    address: SocketAddr,
    watchdog: Option<Watchdog>,
    /// Between the news that the process is ready and that it stops.
    serving: Arc<AtomicBool>,
}

/// Tells that a reload is over when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the reload"]
pub struct Reloading {
    manager: ServiceManager,
    told: bool,
}

/// What the manager wants to hear, or else kills the process.
#[derive(Clone, Debug)]
struct Watchdog {
    interval: Duration,
    heartbeats: Heartbeats,
}

// === impl ServiceManager ===

impl ServiceManager {
    /// The manager at `socket`, which is the value of its environment key `NOTIFY_SOCKET`: a path,
    /// or after an `@` a name without a place in the file system (Linux). Nothing is told yet.
    ///
    /// # Errors
    /// When it is neither, or there is no socket to be had.
    pub fn at(socket: &OsStr) -> io::Result<Self> {
        let address = match socket.as_bytes() {
            [b'/', ..] => SocketAddr::from_pathname(socket)?,
            [b'@', name @ ..] if !name.is_empty() => nowhere(name)?,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not listen must hold up nobody.
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: Arc::new(socket),
            address,
            watchdog: None,
            serving: Arc::default(),
        })
    }

    /// Tells it twice in every `interval` (its environment key `WATCHDOG_USEC`) that the process
    /// is alive, as long as none of `heartbeats` is overdue. It is told from within the runtime, so
    /// a runtime that is stuck is silent too.
    pub fn watchdog(mut self, interval: Duration, heartbeats: &Heartbeats) -> Self {
        self.watchdog = Some(Watchdog {
            interval,
            heartbeats: heartbeats.clone(),
        });
        self
    }

    /// Tells that the settings are read anew, until the answer is dropped. Before the process is
    /// ready, and once it stops, that is of no interest, and nothing is told.
    pub fn reloading(&self) -> Reloading {
        let told = self.serving.load(Ordering::SeqCst);
        if told {
            let now = clock_gettime(ClockId::Monotonic);
            let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
            let _ = self.send(&format!(
                "RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=Reading the settings anew\n"
            ));
        }
        Reloading {
            manager: self.clone(),
            told,
        }
    }

    fn send(&self, message: &str) -> io::Result<()> {
        let sent = self
            .socket
            .send_to_addr(message.as_bytes(), &self.address)?;
        if sent == message.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }
}

#[cfg(target_os = "linux")]
fn nowhere(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn nowhere(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

impl fmt::Debug for ServiceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceManager")
            .field("address", &self.address)
            .field("watchdog", &self.watchdog)
            .finish_non_exhaustive()
    }
}

// === impl Reloading ===

impl Drop for Reloading {
    fn drop(&mut self) {
        // A process that has begun to stop in the meantime is not ready any more.
        if self.told && self.manager.serving.load(Ordering::SeqCst) {
            let _ = self.manager.send("READY=1\nSTATUS=Ready\n");
        }
    }
}
