//! One connection: what is known of it, and the task that serves it.

use std::{
    fmt, io,
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;
use hyper_util::{rt::TokioIo, server::conn::auto};
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    time::{self, Instant},
};

use super::{
    core::{Core, Spawner},
    manners::{Advice, Manners},
    request::{Door, Service},
    socket::Socket,
};

/// One connection, for all who need to know of it. It lives as long as its socket, which after an
/// upgrade is longer than its task.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    pub(super) tcp: TcpStream,
    manners: Mutex<Manners>,
    /// Wakes its task.
    waker: AtomicWaker,
    unwanted: AtomicBool,
    upgraded: AtomicBool,
}

/// Serves one connection to its end.
pub(super) async fn drive<S: Service>(
    core: Arc<Core>,
    connection: Arc<Connection>,
    builder: auto::Builder<Spawner>,
    door: Door<S>,
) {
    let socket = Socket::new(Arc::clone(&core), Arc::clone(&connection));
    {
        let http = builder.serve_connection_with_upgrades(TokioIo::new(socket), door);
        let mut http = pin!(http);
        let mut alarm = pin!(time::sleep_until(Instant::now()));
        loop {
            let next = std::future::poll_fn(|cx| {
                connection.waker.register(cx.waker());
                if core.abort.is_aborted() {
                    return Poll::Ready(Next::Abort);
                }
                // The connection comes first: what is in it decides what is to be done.
                if let Poll::Ready(end) = http.as_mut().poll(cx) {
                    return Poll::Ready(Next::Ended(end));
                }
                loop {
                    let until = match connection.advice(&core) {
                        Advice::Wait => return Poll::Pending,
                        Advice::WaitUntil(until) => until,
                        Advice::GoAway => return Poll::Ready(Next::GoAway),
                        Advice::Close => return Poll::Ready(Next::Close),
                    };
                    // A later one is set when this one rings: most requests come long before.
                    if until < alarm.deadline() || alarm.is_elapsed() {
                        alarm.as_mut().reset(until);
                    }
                    if alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            });
            match next.await {
                Next::Ended(end) => {
                    if let Err(error) = end {
                        let error: &dyn std::error::Error = &*error;
                        tracing::debug!(peer = %connection.peer, error, "connection failed");
                    }
                    break;
                }
                Next::GoAway => {
                    connection.manners().told(Instant::now());
                    http.as_mut().graceful_shutdown();
                }
                Next::Close => break,
                Next::Abort => {
                    connection.cut();
                    break;
                }
            }
        }
    }
    if !connection.manners().is_closed() {
        connection.upgraded.store(true, Ordering::Release);
        // The abort may have come in between, and have left it to this task.
        if core.abort.is_aborted() {
            connection.cut();
        }
    }
}

enum Next {
    Ended(Result<(), Box<dyn std::error::Error + Send + Sync>>),
    GoAway,
    Close,
    Abort,
}

// === impl Connection ===

impl Connection {
    pub(super) fn new(number: u64, peer: SocketAddr, tcp: TcpStream) -> Self {
        Self {
            number,
            peer,
            tcp,
            manners: Mutex::new(Manners::new(Instant::now())),
            waker: AtomicWaker::new(),
            unwanted: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
        }
    }

    pub(super) fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was handed to somebody who speaks another protocol on it.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Acquire)
    }

    /// Makes its task look at it again.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// Asks it to close if it is idle.
    pub(super) fn give_way(&self) {
        self.unwanted.store(true, Ordering::Release);
        self.wake();
    }

    /// Cuts it off: the client gets a reset, so that it does not take half an answer for a whole
    /// one.
    pub(super) fn cut(&self) {
        // It fails only where there is nothing left to cut.
        let _ = self.tcp.set_zero_linger();
        if self.is_upgraded() {
            // The task that owns the socket is not ours; this ends its reads and writes.
            let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Both);
        }
    }

    fn advice(&self, core: &Core) -> Advice {
        let (now, stage) = (Instant::now(), core.stage());
        let manners = self.manners();
        if self.unwanted.swap(false, Ordering::AcqRel)
            && manners.idle_since().is_some()
            && !self.has_unread()
        {
            return if manners.is_http2() && !manners.was_told() {
                Advice::GoAway
            } else {
                Advice::Close
            };
        }
        manners.advice(stage, core.limits.manners, now, || self.has_unread())
    }

    /// Whether bytes wait in the socket that the runtime may not have told of yet.
    fn has_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        // The socket does not block.
        let seen: io::Result<usize> = SockRef::from(&self.tcp).peek(&mut byte);
        seen.is_ok_and(|length| length > 0)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("number", &self.number)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
