//! What an operator asks a running process for by a signal.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use tokio::{runtime, sync::watch};

use crate::PanicMessage;

/// What an operator asks for by a signal, now and again: to read the settings anew, or to tell
/// how things stand.
///
/// Requests that come while one is being answered are one more request; none is lost, also not
/// one that came before this was made. Clones answer on their own.
#[derive(Clone, Debug)]
pub struct Requests {
    asked: watch::Receiver<u64>,
}

/// Where requests come from.
pub(crate) struct Desk {
    asked: watch::Sender<u64>,
}

// === impl Requests ===

impl Requests {
    /// Waits for the next request.
    pub async fn next(&mut self) {
        if self.asked.changed().await.is_err() {
            // Nobody can ask any more.
            std::future::pending::<()>().await;
        }
    }

    /// Answers every request with `work`, on a thread of its own called `name`: also while every
    /// thread of the runtime is blocked. A panic of `work` is logged, and the next request is
    /// answered all the same.
    pub(crate) fn answered_by(
        mut self,
        name: &'static str,
        mut work: impl FnMut() + Send + 'static,
    ) -> io::Result<()> {
        // It only waits for what others wake, so it needs neither a clock nor I/O.
        let waiting = runtime::Builder::new_current_thread().build()?;
        let answer = move || {
            loop {
                waiting.block_on(self.next());
                if let Err(payload) = catch_unwind(AssertUnwindSafe(&mut work)) {
                    let panic = PanicMessage::from_payload(&*payload);
                    tracing::error!(thread = name, %panic, "the answer to a request panicked");
                }
            }
        };
        thread::Builder::new().name(name.into()).spawn(answer)?;
        Ok(())
    }
}

// === impl Desk ===

impl Desk {
    pub(crate) fn open() -> (Self, Requests) {
        let (sender, asked) = watch::channel(0);
        (Self { asked: sender }, Requests { asked })
    }

    /// Notes a request. Waits for nobody.
    pub(crate) fn ask(&self) {
        self.asked
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn is_asked(requests: &mut Requests) -> bool {
        timeout(Duration::ZERO, requests.next()).await.is_ok()
    }

    #[tokio::test]
    async fn none_is_lost_and_those_that_wait_are_one() {
        let (desk, requests) = Desk::open();
        let mut early = requests.clone();
        assert!(!is_asked(&mut early).await);
        desk.ask();
        desk.ask();
        assert!(is_asked(&mut early).await);
        assert!(!is_asked(&mut early).await);
        desk.ask();
        assert!(is_asked(&mut early).await);
        // Whoever comes late has not missed it.
        let mut late = requests.clone();
        assert!(is_asked(&mut late).await);
        drop(desk);
        assert!(!is_asked(&mut late).await);
    }
}
