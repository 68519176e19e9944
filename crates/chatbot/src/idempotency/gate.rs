//! The gate itself.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_redis::{Pool, redis::Cmd};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::store::{StoreError, in_full, name, run};

use super::{
    answer::StoredAnswer,
    claim::{Claim, Lease},
    key::Key,
    scripts,
};

/// The first pause of one who waits for another's answer; each is twice the one before it.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// A client that may wait here again needs not be sent away for the whole of a lease.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Lets each request pass once. Clones share the pool.
#[derive(Clone)]
pub struct Gate {
    pool: Pool,
    options: Arc<GateOptions>,
}

/// How a [`Gate`] works.
#[derive(Clone, Debug)]
pub struct GateOptions {
    /// After how long without renewal a claim is free again, since its process must be dead (30 s).
    pub lease: Duration,
    /// How long an answer is kept (24 h).
    pub keep: Duration,
    /// How long a request waits for the answer of the first one (10 s).
    pub wait: Duration,
    /// What the keys in Redis begin with (`tria:idempotency:`).
    pub prefix: String,
}

/// What a request may do.
#[derive(Debug)]
pub enum Entry {
    /// Its work: nobody else does it.
    First(Claim),
    /// Give this answer: the work is done.
    Replay(StoredAnswer),
    /// Nothing: the key belongs to a request that asked for something else (HTTP 422).
    Mismatch,
    /// Nothing yet: the first request is still at work (HTTP 409).
    Busy {
        /// When to try again; some seconds at most.
        retry_after: Duration,
    },
}

/// Why a gate, or a claim, cannot do what is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// Redis gave no answer. The request must not pass (HTTP 503).
    #[error("the idempotency gate has no answer of redis")]
    Store(#[from] StoreError),
    /// The lease ran out, and the key may be another's.
    #[error("the lease of the claim was lost")]
    Lost,
    /// The body is larger than 64 KiB.
    #[error("an answer of more than 64 KiB cannot be stored")]
    AnswerTooLarge,
}

// === impl Gate ===

impl Gate {
    /// A gate in the Redis that `pool` leads to. All servers must use the same one.
    pub fn new(pool: Pool, options: GateOptions) -> Self {
        Self {
            pool,
            options: Arc::new(options),
        }
    }

    /// Lets the first request with this key of this user pass. One that is the same waits for the
    /// answer of the first, up to [`GateOptions::wait`]; when the first gives up, one of those who
    /// wait is the first. Dropping the future leaves no claim behind, as far as Redis can be
    /// reached.
    ///
    /// # Errors
    /// [`GateError::Store`], when Redis gives no answer.
    pub async fn enter(
        &self,
        user: &str,
        key: &Key,
        fingerprint: &[u8; 32],
    ) -> Result<Entry, GateError> {
        let options = &self.options;
        let mut lease = Lease {
            pool: self.pool.clone(),
            key: name(&options.prefix, &[user, key.as_str()]).into(),
            owner: Uuid::new_v4(),
            held: false,
        };
        let enter = scripts::enter(&lease.key, fingerprint, lease.owner, options.lease);
        let deadline = Instant::now() + options.wait;
        let mut pause = FIRST_PAUSE;
        loop {
            // Freeing the key must not overtake taking it, so that this ends even if we do not.
            let entered = ask(lease, enter.clone());
            let (now, entered) = in_full(entered).await?;
            lease = now;
            let (state, left, status, content_type, body) = entered?;
            match state {
                scripts::FIRST => {
                    let claim = Claim::new(lease, options.lease, options.keep);
                    return Ok(Entry::First(claim));
                }
                scripts::MISMATCH => return Ok(Entry::Mismatch),
                scripts::DONE => {
                    return Ok(Entry::Replay(StoredAnswer {
                        status,
                        content_type,
                        body,
                    }));
                }
                _ => {}
            }
            let time_left = deadline.saturating_duration_since(Instant::now());
            if time_left.is_zero() {
                let left = Duration::from_millis(left.try_into().unwrap_or(0));
                let retry_after = left.clamp(Duration::from_secs(1), LONGEST_RETRY_AFTER);
                return Ok(Entry::Busy { retry_after });
            }
            // Many that wait for the same answer must not ask all at once.
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0).min(time_left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    #[cfg(test)]
    pub(super) fn prefix(&self) -> &str {
        &self.options.prefix
    }
}

/// Tries to take the key.
async fn ask(mut lease: Lease, enter: Cmd) -> (Lease, Result<scripts::Entered, StoreError>) {
    let pool = lease.pool.clone();
    // From the moment that it is sent, the key may be ours without our knowing.
    let entered: Result<scripts::Entered, _> = run(&pool, &enter, Some(&mut lease.held)).await;
    if let Ok((state, ..)) = entered {
        lease.held = state == scripts::FIRST;
    }
    (lease, entered)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

// === impl GateOptions ===

impl Default for GateOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            keep: Duration::from_secs(24 * 60 * 60),
            wait: Duration::from_secs(10),
            prefix: "tria:idempotency:".to_owned(),
        }
    }
}
