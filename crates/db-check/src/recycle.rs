//! Sees that a pooled connection lives before it is handed out.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_postgres::{ClientWrapper, Hook, HookError, Metrics};
use tokio::time::timeout;

/// Fails inside a transaction that was left open or aborted: only in a fresh transaction are its
/// start and that of the statement the same instant. So a poisoned connection is replaced, at
/// the price of the round trip that shows a connection to be alive.
const FRESH: &str = "SELECT 1 / (now() = statement_timestamp())::int";

/// Until when a connection must have been handed out to be suspected; nothing is at first.
#[derive(Debug, Default)]
struct Suspicion(Mutex<Option<Instant>>);

/// Refuses a connection that is closed, inside a transaction, or silent for `limit`.
///
/// Where a host went away without a word, or a firewall has forgotten the connections, all of
/// them are silent, and to find that out of one after the other would hold up whoever asks the
/// pool. So the first silent one takes with it all that were handed out before it was asked:
/// they are replaced unasked.
pub(crate) fn look_before_use(limit: Duration) -> Hook {
    let suspicion = Arc::new(Suspicion::default());
    Hook::async_fn(move |client: &mut ClientWrapper, metrics: &Metrics| {
        let suspicion = Arc::clone(&suspicion);
        Box::pin(async move {
            if suspicion.covers(metrics) {
                return Err(HookError::message("others were silent"));
            }
            let asked = Instant::now();
            match timeout(limit, client.simple_query(FRESH)).await {
                Ok(answer) => answer.map(drop).map_err(HookError::Backend),
                Err(_elapsed) => {
                    suspicion.raise(asked);
                    Err(HookError::message("it was silent"))
                }
            }
        })
    })
}

// === impl Suspicion ===

impl Suspicion {
    fn covers(&self, metrics: &Metrics) -> bool {
        let handed_out = metrics.recycled.unwrap_or(metrics.created);
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| handed_out <= until)
    }

    fn raise(&self, asked: Instant) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(asked));
    }
}
