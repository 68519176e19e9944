//! Sees that a connection at rest lives before it is handed out.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_redis::{
    Hook, HookError, Metrics,
    redis::{aio::MultiplexedConnection, cmd},
};

/// Until when a connection must have been handed out to be suspected; nothing is at first.
#[derive(Debug, Default)]
struct Suspicion(Mutex<Option<Instant>>);

/// Refuses a connection that does not answer PING.
///
/// Where a host went away without a word, or a firewall has forgotten the connections, all of
/// them are silent, and to find that out of one after the other would hold up whoever asks the
/// pool. So the first silent one takes with it all that were handed out before it was asked:
/// they are replaced unasked.
///
/// The pool sends a PING of its own, whose silence it does not tell. What was handed out within
/// the time that an answer may take (`limit`) is left to that one, so that a pool in full use pays
/// for one round trip and not for two.
pub(crate) fn look_before_use(limit: Duration) -> Hook {
    let suspicion = Arc::new(Suspicion::default());
    Hook::async_fn(
        move |connection: &mut MultiplexedConnection, metrics: &Metrics| {
            let suspicion = Arc::clone(&suspicion);
            Box::pin(async move {
                if suspicion.covers(metrics) {
                    return Err(HookError::message("others were silent"));
                }
                if metrics.last_used() < limit {
                    return Ok(());
                }
                let asked = Instant::now();
                let answer = cmd("PING").exec_async(connection).await;
                answer.map_err(|error| {
                    if error.is_timeout() {
                        suspicion.raise(asked);
                    }
                    HookError::Backend(error)
                })
            })
        },
    )
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
