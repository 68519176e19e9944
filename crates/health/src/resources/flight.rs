//! Questions that may block, one at a time.

use std::panic::resume_unwind;

use tokio::{
    sync::Mutex,
    task::{JoinHandle, spawn_blocking},
};

/// Asks on a thread that may block, and never twice at once.
///
/// A question cannot be called back: whoever stops waiting leaves it behind, and a file system
/// that hangs would hold up one more thread for each who asks. So who asks while one is under way
/// waits for its answer instead, for as long as it likes.
#[derive(Debug)]
pub(crate) struct Flight<T> {
    under_way: Mutex<Option<JoinHandle<T>>>,
}

// === impl Flight ===

impl<T: Send + 'static> Flight<T> {
    /// The answer to `question`, or to the one that is under way.
    ///
    /// # Panics
    /// Where the question does.
    pub(crate) async fn ask(&self, question: impl FnOnce() -> T + Send + 'static) -> T {
        let mut under_way = self.under_way.lock().await;
        let left_behind = under_way.take().filter(|handle| !handle.is_finished());
        let handle = left_behind.unwrap_or_else(|| spawn_blocking(question));
        let answer = under_way.insert(handle).await;
        *under_way = None;
        match answer.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(answer) => answer,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime shuts down, and drops whoever waits.
            Err(Err(_cancelled)) => std::future::pending().await,
        }
    }
}

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::AssertUnwindSafe,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    /// hellofresh/health-go#224: a goroutine leaked per timeout.
    #[tokio::test]
    async fn a_question_that_hangs_is_not_asked_again() {
        let flight = Flight::default();
        let asked = Arc::new(AtomicU32::new(0));
        let (release, held) = mpsc::channel();
        let counted = Arc::clone(&asked);
        let hanging = flight.ask(move || {
            held.recv().unwrap();
            counted.fetch_add(1, Ordering::SeqCst)
        });
        assert!(timeout(Duration::from_millis(20), hanging).await.is_err());
        for _ in 0..10 {
            let again = flight.ask(|| panic!("asked twice at once"));
            assert!(timeout(Duration::from_millis(5), again).await.is_err());
        }
        release.send(()).unwrap();
        // Whether the answer of before comes or the question is asked anew, it answers again.
        let counted = Arc::clone(&asked);
        flight
            .ask(move || counted.fetch_add(1, Ordering::SeqCst))
            .await;
        assert!(asked.load(Ordering::SeqCst) >= 1);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_took_is_not_given_to_the_next() {
        let flight = Flight::default();
        let (done, finished) = mpsc::channel::<()>();
        let old = flight.ask(move || {
            drop(done);
            1
        });
        assert!(old.now_or_never().is_none());
        assert!(finished.recv().is_err());
        loop {
            let held = flight.under_way.lock().await;
            if held.as_ref().unwrap().is_finished() {
                break;
            }
            drop(held);
            tokio::task::yield_now().await;
        }
        assert_eq!(flight.ask(|| 2).await, 2);
    }

    #[tokio::test]
    async fn a_panic_reaches_who_asked_and_nobody_after() {
        let flight = Flight::default();
        let asked = flight.ask(|| panic!("planted"));
        assert!(AssertUnwindSafe(asked).catch_unwind().await.is_err());
        flight.ask(|| ()).await;
    }
}
