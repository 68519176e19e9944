//! What all parts of a server share.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::rt::Executor;
use tokio::{net::TcpStream, sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    connection::Connection,
    drain::{DrainReport, Load},
    manners::{Limits as ManneredLimits, Stage},
    signal::DrainSignal,
};

/// What all parts of a server share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) address: SocketAddr,
    pub(super) limits: Limits,
    pub(super) connections: Connections,
    pub(super) tally: Tally,
    /// Told to handlers when the listener closes.
    pub(super) signal: DrainSignal,
    pub(super) abort: Abort,
    /// When the drain that was asked for must be over.
    pub(super) asked: watch::Sender<Option<Instant>>,
    pub(super) report: watch::Sender<Option<DrainReport>>,
    /// Whether there is no room for another connection.
    pub(super) is_full: AtomicBool,
    pre_drain: OnceLock<()>,
    closing: OnceLock<Instant>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) manners: ManneredLimits,
    pub(super) connections: Option<usize>,
    pub(super) drain: Duration,
    pub(super) ping_interval: Duration,
    pub(super) ping_timeout: Duration,
    pub(super) nodelay: bool,
}

/// The connections whose sockets are open.
#[derive(Debug)]
pub(super) struct Connections {
    open: Mutex<Open>,
    count: watch::Sender<usize>,
    most: Option<usize>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    last: u64,
}

/// Requests so far, by how they ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    begun: AtomicUsize,
    finished: AtomicUsize,
    abandoned: AtomicUsize,
}

/// The end of all patience.
#[derive(Clone, Debug, Default)]
pub(super) struct Abort {
    flag: Arc<AtomicBool>,
    token: CancellationToken,
}

/// Runs the tasks that hyper needs for HTTP/2, until the abort.
#[derive(Clone, Debug)]
pub(super) struct Spawner(Abort);

// === impl Core ===

impl Core {
    pub(super) fn new(address: SocketAddr, limits: Limits, signal: DrainSignal) -> Self {
        Self {
            address,
            limits,
            connections: Connections {
                open: Mutex::default(),
                count: watch::Sender::new(0),
                most: limits.connections,
            },
            tally: Tally::default(),
            signal,
            abort: Abort::default(),
            asked: watch::Sender::new(None),
            report: watch::Sender::new(None),
            is_full: AtomicBool::new(false),
            pre_drain: OnceLock::new(),
            closing: OnceLock::new(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        match self.closing.get() {
            Some(since) => Stage::Closing(*since),
            None if self.pre_drain.get().is_some() => Stage::PreDrain,
            None => Stage::Serving,
        }
    }

    /// Whether clients on HTTP/1 are to leave with their answer.
    pub(super) fn sends_away(&self) -> bool {
        self.pre_drain.get().is_some() || self.is_full.load(Ordering::Relaxed)
    }

    pub(super) fn begin_pre_drain(&self) {
        if self.pre_drain.set(()).is_ok() {
            let Load {
                connections,
                requests,
                ..
            } = self.load();
            tracing::info!(connections, requests, "pre-drain begins");
            self.connections.wake_all();
        }
    }

    /// From here on idle connections are closed. The tasks of connections learn of it when they
    /// are woken.
    pub(super) fn begin_closing(&self) {
        let _ = self.pre_drain.set(());
        let _ = self.closing.set(Instant::now());
        self.signal.send();
    }

    pub(super) fn spawner(&self) -> Spawner {
        Spawner(self.abort.clone())
    }

    /// What is being served.
    pub(super) fn load(&self) -> Load {
        let now = Instant::now();
        let mut load = Load::default();
        for connection in self.connections.all() {
            let manners = connection.manners();
            load.connections += 1;
            load.requests += manners.in_flight();
            load.upgraded += usize::from(connection.is_upgraded());
            let age = manners.oldest().map(|begun| now - begun);
            load.oldest = load.oldest.max(age);
        }
        load
    }
}

// === impl Connections ===

impl Connections {
    pub(super) fn add(&self, peer: SocketAddr, tcp: TcpStream) -> Arc<Connection> {
        let mut open = self.open();
        open.last += 1;
        let connection = Arc::new(Connection::new(open.last, peer, tcp));
        open.by_number
            .insert(connection.number, Arc::clone(&connection));
        self.recount(&open);
        connection
    }

    pub(super) fn remove(&self, number: u64) {
        let mut open = self.open();
        open.by_number.remove(&number);
        self.recount(&open);
    }

    /// How many there are. Whoever waits is woken only when nobody is left, and when there is room
    /// for another.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    pub(super) fn all(&self) -> Vec<Arc<Connection>> {
        self.open().by_number.values().map(Arc::clone).collect()
    }

    pub(super) fn wake_all(&self) {
        for connection in self.all() {
            connection.wake();
        }
    }

    /// Asks the connection that has been idle for longest to close.
    pub(super) fn make_room(&self) {
        let idlest = self
            .all()
            .into_iter()
            .filter(|connection| !connection.is_upgraded())
            .filter_map(|connection| {
                let since = connection.manners().idle_since()?;
                Some((since, connection))
            })
            .min_by_key(|(since, _)| *since);
        if let Some((_, connection)) = idlest {
            connection.give_way();
        }
    }

    fn recount(&self, open: &Open) {
        let now = open.by_number.len();
        self.count.send_if_modified(|count| {
            *count = now;
            now == 0 || self.most.is_some_and(|most| now < most)
        });
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn begun(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn finished(&self, count: usize) {
        if count > 0 {
            self.finished.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn abandoned(&self, count: usize) {
        if count > 0 {
            self.abandoned.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Begun, finished, abandoned.
    pub(super) fn read(&self) -> [usize; 3] {
        [&self.begun, &self.finished, &self.abandoned].map(|count| count.load(Ordering::Relaxed))
    }
}

// === impl Abort ===

impl Abort {
    pub(super) fn is_aborted(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    pub(super) fn abort(&self) {
        self.flag.store(true, Ordering::Release);
        self.token.cancel();
    }
}

// === impl Spawner ===

impl<F> Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let token = self.0.token.clone();
        tokio::spawn(async move {
            token.run_until_cancelled(task).await;
        });
    }
}
