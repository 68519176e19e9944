//! Closing what others may still be using.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{Hook, HookError};

/// What a hook's stop closes, and then waits for until nothing of it is left.
///
/// Closing a pool is the beginning of its end: most return at once, and what was taken out stays
/// open until it is given back. Only then is no transaction under way any more.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
/// use tria_lifecycle::{Disposal, Hook};
///
/// let open = Arc::new(AtomicUsize::new(3));
/// let pool = Arc::clone(&open);
/// let disposal = Disposal::new().part(
///     "connections",
///     move || pool.store(0, Ordering::SeqCst),
///     move || open.load(Ordering::SeqCst),
/// );
/// let hook = Hook::new("database").on_stop_dispose(disposal);
/// ```
#[derive(Default)]
#[must_use = "nothing is closed until a hook's stop does it"]
pub struct Disposal {
    parts: Vec<Part>,
}

/// Some of it was still in use when the time was over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("still in use: {}", list(left))]
pub struct StillInUse {
    left: Vec<(String, usize)>,
}

struct Part {
    name: String,
    close: Box<dyn FnOnce() + Send>,
    left: Box<dyn Fn() -> usize + Send + Sync>,
}

/// How often a part that is being closed is looked at: pools tell nobody when they are empty.
const GLANCE: Duration = Duration::from_millis(5);

/// What is left of the time to say what is still in use, before the stop is cut short.
const LAST_WORD: Duration = Duration::from_millis(20);

// === impl Disposal ===

impl Disposal {
    /// Nothing to close yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pool or its like. `close` makes it hand out nothing more, and returns at once;
    /// `left` counts what of it still is there, in use or not.
    pub fn part(
        mut self,
        name: impl Into<String>,
        close: impl FnOnce() + Send + 'static,
        left: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        self.parts.push(Part {
            name: name.into(),
            close: Box::new(close),
            left: Box::new(left),
        });
        self
    }

    /// Closes all parts at once, and waits until nothing of them is left.
    ///
    /// # Errors
    /// [`StillInUse`] shortly before `deadline`, so that a hook's stop can tell it.
    pub async fn dispose(self, deadline: Instant) -> Result<(), StillInUse> {
        let mut open = Vec::new();
        for Part { name, close, left } in self.parts {
            close();
            open.push((name, left));
        }
        let now = Instant::now();
        let time = deadline.saturating_duration_since(now);
        let until = now + time.saturating_sub(LAST_WORD.min(time / 10));
        loop {
            open.retain(|(_, left)| left() > 0);
            if open.is_empty() {
                return Ok(());
            }
            if Instant::now() >= until {
                let left = open.into_iter().map(|(name, left)| (name, left()));
                return Err(StillInUse {
                    left: left.collect(),
                });
            }
            sleep(GLANCE.min(until.saturating_duration_since(Instant::now()))).await;
        }
    }
}

impl fmt::Debug for Disposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parts.iter().map(|part| &part.name);
        f.debug_list().entries(names).finish()
    }
}

// === impl StillInUse ===

impl StillInUse {
    /// What is left of each part that was not empty.
    pub fn left(&self) -> impl Iterator<Item = (&str, usize)> {
        self.left
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
    }
}

fn list(left: &[(String, usize)]) -> impl fmt::Display {
    let told = left.iter().map(|(name, count)| format!("{name} ({count})"));
    told.collect::<Vec<_>>().join(", ")
}

// === impl Hook ===

impl Hook {
    /// Lets its stop close `what`, and wait until nothing of it is left, within its stop timeout.
    pub fn on_stop_dispose(self, what: Disposal) -> Self {
        self.on_stop(async move |cx| what.dispose(cx.deadline()).await.map_err(HookError::new))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// A part of `size`, of which `idle` are gone when it is closed.
    fn part(
        disposal: Disposal,
        name: &str,
        size: usize,
        idle: usize,
    ) -> (Disposal, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(size));
        let (closed, left) = (Arc::clone(&count), Arc::clone(&count));
        let disposal = disposal.part(
            name,
            move || {
                closed.fetch_sub(idle, Ordering::SeqCst);
            },
            move || left.load(Ordering::SeqCst),
        );
        (disposal, count)
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_the_last_is_given_back() {
        let (disposal, busy) = part(Disposal::new(), "busy", 5, 3);
        let (disposal, _idle) = part(disposal, "idle", 4, 4);
        let begun = Instant::now();
        tokio::spawn(async move {
            for _ in 0..2 {
                sleep(Duration::from_millis(100)).await;
                busy.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let done = disposal.dispose(begun + Duration::from_secs(10)).await;
        assert_eq!((done, begun.elapsed().as_millis() / 10), (Ok(()), 20));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_in_use_is_told_in_time() {
        let (disposal, _) = part(Disposal::new(), "main", 5, 3);
        let (disposal, _) = part(disposal, "spare", 1, 1);
        let (disposal, _) = part(disposal, "probe", 1, 0);
        let deadline = Instant::now() + Duration::from_secs(3);
        let error = disposal.dispose(deadline).await.unwrap_err();
        assert_eq!(error.to_string(), "still in use: main (2), probe (1)");
        assert_eq!(
            error.left().collect::<Vec<_>>(),
            [("main", 2), ("probe", 1)]
        );
        assert_eq!(deadline - Instant::now(), LAST_WORD);
    }
}
