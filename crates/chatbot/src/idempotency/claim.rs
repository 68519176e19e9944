//! The right to do the work of a request.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_redis::{Pool, redis::Cmd};
use tokio::{runtime::Handle, task::AbortHandle, time::sleep};
use uuid::Uuid;

use crate::store::{in_full, run};

use super::{
    GateError,
    answer::{MOST_BYTES, StoredAnswer},
    scripts,
};

/// A lease is renewed so often within its time, so that one lost answer does not lose it.
const RENEWALS: u32 = 3;

/// The right to do the work of a request, held by a lease that is renewed until this is dropped.
///
/// Dropping it without an answer makes the key free again, in the background and as far as Redis
/// can be reached, so that a retry can go on.
#[must_use = "dropping a claim makes its key free again"]
pub struct Claim {
    lease: Lease,
    keep: Duration,
    renewal: AbortHandle,
}

/// A key that is ours, or may be: it is made free when this is dropped while `held`.
pub(super) struct Lease {
    pub(super) pool: Pool,
    pub(super) key: Arc<str>,
    pub(super) owner: Uuid,
    pub(super) held: bool,
}

// === impl Claim ===

impl Claim {
    pub(super) fn new(lease: Lease, length: Duration, keep: Duration) -> Self {
        let pool = lease.pool.clone();
        let renew = scripts::renew(&lease.key, lease.owner, length);
        let renewal = tokio::spawn(renewals(pool, renew, length / RENEWALS)).abort_handle();
        Self {
            lease,
            keep,
            renewal,
        }
    }

    /// Stores the answer for whoever sends the request again. What is under way is finished also
    /// when this future is dropped. A second answer does not replace the first.
    ///
    /// # Errors
    /// - [`GateError::AnswerTooLarge`]: more than 64 KiB; the claim is as before.
    /// - [`GateError::Lost`]: the lease ran out, and the key may be another's. Nothing was stored.
    /// - [`GateError::Store`]: it is not known whether the answer was stored. It may be tried again;
    ///   dropping the claim makes the key free if it was not.
    pub async fn complete(&mut self, answer: &StoredAnswer) -> Result<(), GateError> {
        if answer.body.len() > MOST_BYTES {
            return Err(GateError::AnswerTooLarge);
        }
        let complete = scripts::complete(&self.lease.key, self.lease.owner, answer, self.keep);
        let pool = self.lease.pool.clone();
        // Until its end is known, freeing the key could let the work be done twice.
        self.lease.held = false;
        let stored = in_full(async move { run::<u8>(&pool, &complete, None).await }).await;
        match stored.and_then(|stored| stored) {
            Ok(0) => {
                self.renewal.abort();
                Err(GateError::Lost)
            }
            Ok(_) => {
                self.renewal.abort();
                Ok(())
            }
            Err(error) => {
                self.lease.held = true;
                Err(GateError::Store(error))
            }
        }
    }

    /// Makes the key free, since the work failed and may be tried again. Nothing happens where the
    /// lease was lost or the answer is stored.
    ///
    /// # Errors
    /// [`GateError::Store`]; the lease then runs out by itself.
    pub async fn release(mut self) -> Result<(), GateError> {
        self.renewal.abort();
        if !self.lease.held {
            return Ok(());
        }
        let release = scripts::release(&self.lease.key, self.lease.owner);
        let released = run::<u8>(&self.lease.pool, &release, None).await;
        self.lease.held = false;
        released?;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn renewal_script(&self, length: Duration) -> Cmd {
        scripts::renew(&self.lease.key, self.lease.owner, length)
    }

    #[cfg(test)]
    pub(super) fn stop_renewing(&self) {
        self.renewal.abort();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}

// === impl Lease ===

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.held {
            return;
        }
        // Without a runtime, the lease runs out by itself.
        if let Ok(runtime) = Handle::try_current() {
            let (pool, release) = (self.pool.clone(), scripts::release(&self.key, self.owner));
            runtime.spawn(async move {
                if let Err(error) = run::<u8>(&pool, &release, None).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::debug!(error, "a claim was left to expire");
                }
            });
        }
    }
}

/// Renews until the lease is lost.
async fn renewals(pool: Pool, renew: Cmd, every: Duration) {
    // A lease of zero would make this spin.
    let every = every.max(Duration::from_millis(1));
    loop {
        sleep(every).await;
        match run::<u8>(&pool, &renew, None).await {
            Ok(0) => {
                tracing::warn!("the lease of a claim was lost");
                return;
            }
            Ok(_) => {}
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the lease of a claim was not renewed");
            }
        }
    }
}
