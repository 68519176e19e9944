//! Load through a balancer that has no mercy: it never asks twice, so what a server drops is seen.

use std::{
    net::SocketAddr,
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::wire::{Connection, Failure};

/// A balancer's view of the servers behind it: it asks each for its readiness every 100 ms, and
/// takes it out or in at the first answer that differs.
pub struct Balancer {
    backends: Arc<Vec<Backend>>,
    poller: JoinHandle<()>,
}

struct Backend {
    address: SocketAddr,
    ready: AtomicBool,
}

/// How a client of the balancer uses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// It keeps one to each server for as long as the server lets it.
    KeepAlive,
    /// It opens one for each request.
    ConnectPerRequest,
}

/// What came of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All requests.
    pub requests: usize,
    /// Those for which no connection could be had.
    pub refused: usize,
    /// Those whose connection ended before the head of an answer.
    pub cut: usize,
    /// Those whose answer ended before it was complete.
    pub truncated: usize,
    /// Those that were answered with anything but 200, or not in ten seconds.
    pub wrong: usize,
}

/// Clients under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinSet<Tally>,
}

/// How often the balancer looks.
const LOOK: Duration = Duration::from_millis(100);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked for, in turn. None of it depends on readiness.
const PATHS: [&str; 2] = ["/livez", "/health"];

// === impl Balancer ===

impl Balancer {
    /// A balancer before these servers.
    pub fn start(servers: &[SocketAddr]) -> Self {
        let backend = |address: &SocketAddr| Backend {
            address: *address,
            ready: AtomicBool::new(false),
        };
        let backends = Arc::new(servers.iter().map(backend).collect::<Vec<_>>());
        let looked_at = Arc::clone(&backends);
        let poller = tokio::spawn(async move {
            let mut looks = interval(LOOK);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                for backend in looked_at.iter() {
                    let ready = is_ready(backend.address).await;
                    backend.ready.store(ready, Ordering::Relaxed);
                }
            }
        });
        Self { backends, poller }
    }

    /// Waits until it sends requests to that server.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn until_in(&self, server: usize) {
        let is_in = async {
            while !self.backends[server].ready.load(Ordering::Relaxed) {
                sleep(LOOK / 10).await;
            }
        };
        let waited = timeout(6 * PATIENCE, is_in).await;
        waited.expect("the server becomes ready");
    }

    /// Starts that many clients, which together ask about `per_second` times.
    pub fn load(&self, style: Style, clients: u32, per_second: u32) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let turn = Arc::new(AtomicUsize::new(0));
        let pause = Duration::from_secs(1) * clients / per_second;
        let mut set = JoinSet::new();
        for number in 0..clients {
            let client = Client {
                backends: Arc::clone(&self.backends),
                turn: Arc::clone(&turn),
                stop: Arc::clone(&stop),
                style,
                kept: self.backends.iter().map(|_| None).collect(),
                tally: Tally::default(),
            };
            // Not all at once.
            set.spawn(client.ask_on(pause * number / clients, pause));
        }
        Load { stop, clients: set }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let answer = async {
        let mut connection = Connection::open(address).await?;
        connection.get("/readyz").await
    };
    let answer = timeout(Duration::from_secs(1), answer).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status == 200))
}

// === impl Load ===

impl Load {
    /// Stops the clients after the request they are at.
    ///
    /// # Panics
    /// If one of them did.
    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Tally::default();
        for tally in self.clients.join_all().await {
            sum += tally;
        }
        sum
    }
}

struct Client {
    backends: Arc<Vec<Backend>>,
    turn: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    style: Style,
    kept: Vec<Option<Connection>>,
    tally: Tally,
}

impl Client {
    async fn ask_on(mut self, delay: Duration, pause: Duration) -> Tally {
        sleep(delay).await;
        while !self.stop.load(Ordering::Relaxed) {
            let Some(backend) = self.pick() else {
                sleep(LOOK / 10).await;
                continue;
            };
            let path = PATHS[self.tally.requests % PATHS.len()];
            self.tally.requests += 1;
            match timeout(PATIENCE, self.ask(backend, path)).await {
                Ok(Ok(200)) => {}
                Ok(Ok(_)) | Err(_) => self.tally.wrong += 1,
                Ok(Err(Failure::Refused)) => self.tally.refused += 1,
                Ok(Err(Failure::Cut)) => self.tally.cut += 1,
                Ok(Err(Failure::Truncated)) => self.tally.truncated += 1,
            }
            sleep(pause).await;
        }
        self.tally
    }

    /// The next of those that are ready.
    fn pick(&self) -> Option<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.backends.len();
        let in_turn = (0..count).map(|offset| (turn + offset) % count);
        let mut ready = in_turn.filter(|at| self.backends[*at].ready.load(Ordering::Relaxed));
        ready.next()
    }

    async fn ask(&mut self, backend: usize, path: &str) -> Result<u16, Failure> {
        // As every pool does, it looks whether the server has closed it meanwhile.
        let kept = self.kept[backend].take().filter(Connection::is_open);
        let mut connection = match kept {
            Some(kept) => kept,
            None => Connection::open(self.backends[backend].address).await?,
        };
        let answer = connection.get(path).await?;
        if self.style == Style::KeepAlive && !answer.closes {
            self.kept[backend] = Some(connection);
        }
        Ok(answer.status)
    }
}

// === impl Tally ===

impl Tally {
    /// All requests that failed.
    pub fn failed(&self) -> usize {
        self.refused + self.cut + self.truncated + self.wrong
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.refused += other.refused;
        self.cut += other.cut;
        self.truncated += other.truncated;
        self.wrong += other.wrong;
    }
}
