//! People who use the service all the time, and notice when it is not there.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tria_tests::{Door, Post, get};

/// They come through the front door until they are dropped.
pub(super) struct Visitors {
    book: Arc<Mutex<Book>>,
    done: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What they saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) sent: usize,
    pub(super) failed: usize,
    /// Requests that were sent again, a message under its key: a proxy that takes up another
    /// configuration ends connections on which it has seen no request yet, and one may be on its
    /// way at that moment.
    pub(super) resent: usize,
    /// The longest time without a success.
    pub(super) gap: Duration,
    /// The first of what failed.
    pub(super) failures: Vec<String>,
}

struct Book {
    seen: Seen,
    last: Instant,
}

/// How often somebody looks whether it lives and is ready.
const LOOK: Duration = Duration::from_millis(20);
/// How often somebody says something: fewer a minute than one address may.
const SAY: Duration = Duration::from_millis(250);
/// How long they wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

// === impl Visitors ===

impl Visitors {
    pub(super) fn of(url: &str) -> Self {
        let mut all = Self::who_look(url);
        all.tasks.push(all.says(url));
        all
    }

    /// Those who only look: nothing is written for them.
    pub(super) fn who_look(url: &str) -> Self {
        let book = Arc::new(Mutex::new(Book {
            seen: Seen::default(),
            last: Instant::now(),
        }));
        let done = Arc::new(AtomicBool::new(false));
        let looks = ["/livez", "/readyz"].map(|path| {
            let (url, book, done) = (format!("{url}{path}"), Arc::clone(&book), Arc::clone(&done));
            tokio::spawn(async move {
                let mut pace = interval(2 * LOOK);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while !done.load(Ordering::Relaxed) {
                    pace.tick().await;
                    let mut said = timeout(PATIENCE, get(&url)).await;
                    let is_cut = matches!(said, Ok(None));
                    if is_cut {
                        said = timeout(PATIENCE, get(&url)).await;
                    }
                    let status = said.ok().flatten().map(|answer| answer.status);
                    let mut book = book.lock().unwrap();
                    book.seen.resent += usize::from(is_cut);
                    book.note(&url, status);
                }
            })
        });
        Self {
            book,
            done,
            tasks: looks.into(),
        }
    }

    /// Somebody who talks, a greeting at a time.
    fn says(&self, url: &str) -> JoinHandle<()> {
        let (url, book) = (url.to_owned(), Arc::clone(&self.book));
        let done = Arc::clone(&self.done);
        tokio::spawn(async move {
            let door = Door::of(&url);
            let mut pace = interval(SAY);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                pace.tick().await;
                number += 1;
                let user = format!("visitor-{}", number % 40);
                let post = Post::of(&user, "hello").key(format!("visit-{number}"));
                let mut said = timeout(PATIENCE, door.try_ask(&post)).await;
                let is_cut = matches!(said, Ok(Err(_)));
                if is_cut {
                    said = timeout(PATIENCE, door.try_ask(&post)).await;
                }
                let status = said.ok().and_then(Result::ok).map(|reply| reply.status);
                let mut book = book.lock().unwrap();
                book.seen.resent += usize::from(is_cut);
                book.note("chat", status);
            }
        })
    }

    /// What they saw since the last time that this was asked.
    pub(super) fn take(&self) -> Seen {
        let mut book = self.book.lock().unwrap();
        let now = Instant::now();
        let since = now - book.last;
        book.seen.gap = book.seen.gap.max(since);
        book.last = now;
        std::mem::take(&mut book.seen)
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        for task in &self.tasks {
            task.abort();
        }
    }
}

// === impl Book ===

impl Book {
    fn note(&mut self, what: &str, status: Option<u16>) {
        self.seen.sent += 1;
        if status == Some(200) {
            self.seen.gap = self.seen.gap.max(self.last.elapsed());
            self.last = Instant::now();
            return;
        }
        self.seen.failed += 1;
        if self.seen.failures.len() < 5 {
            self.seen.failures.push(format!("{what}: {status:?}"));
        }
    }
}
