//! Probes at a steady pace, beside a load.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::wire::Connection;

/// Probes under way, each over a connection that is kept, on a thread of their own so that the load
/// of the same process does not hold them up.
pub struct Paced {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<Probed>>,
}

/// What came of one probe.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was asked for.
    pub path: &'static str,
    /// How long each answer took, sorted.
    pub took: Vec<Duration>,
    /// How many answers were not 200.
    pub failures: usize,
}

// === impl Paced ===

impl Paced {
    /// Asks each of these for its path, `every` so often, or as soon as there is an answer.
    ///
    /// # Panics
    /// On their thread, if one of them gives no answer; [`Self::end`] panics then.
    pub fn start(asked: &[(&'static str, SocketAddr)], every: Duration) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (until, asked) = (Arc::clone(&over), asked.to_vec());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let mut probes = JoinSet::new();
                for (path, address) in asked {
                    let until = Arc::clone(&until);
                    probes.spawn(async move { probe(path, address, every, &until).await });
                }
                let mut told = probes.join_all().await;
                told.sort_by_key(|probed| probed.path);
                told
            })
        });
        Self { over, thread }
    }

    /// Ends them, and gives what came of each.
    ///
    /// # Panics
    /// If one of them had no answer.
    pub fn end(self) -> Vec<Probed> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("each probe was answered")
    }
}

async fn probe(
    path: &'static str,
    address: SocketAddr,
    every: Duration,
    over: &AtomicBool,
) -> Probed {
    let mut connection = Connection::open(address).await.expect("a connection");
    let mut probed = Probed {
        path,
        took: Vec::new(),
        failures: 0,
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let begun = Instant::now();
        let answer = connection.get(path).await.expect("an answer");
        probed.took.push(begun.elapsed());
        probed.failures += usize::from(answer.status != 200);
    }
    probed.took.sort_unstable();
    probed
}
