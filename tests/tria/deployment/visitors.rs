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

/// What came of a request.
struct Asked {
    /// None if there was no answer.
    status: Option<u16>,
    resent: bool,
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
                    let said = asked(|| async { Some(get(&url).await?.status) }).await;
                    book.lock().unwrap().note(&url, said);
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
                let said = asked(|| async { Some(door.try_ask(&post).await.ok()?.status) }).await;
                book.lock().unwrap().note("chat", said);
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

/// Sends a request, and once more where its connection ends without an answer.
async fn asked<F: Future<Output = Option<u16>>>(send: impl Fn() -> F) -> Asked {
    let first = timeout(PATIENCE, send()).await;
    let resent = first == Ok(None);
    let said = if resent {
        timeout(PATIENCE, send()).await
    } else {
        first
    };
    Asked {
        status: said.ok().flatten(),
        resent,
    }
}

// === impl Book ===

impl Book {
    fn note(&mut self, what: &str, Asked { status, resent }: Asked) {
        self.seen.sent += 1;
        self.seen.resent += usize::from(resent);
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
