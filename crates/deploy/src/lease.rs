//! One deployment at a time: a lease with an owner and an expiry.
//!
//! It is held through verification and a way back. Who dies holds it no longer than its expiry,
//! and no longer at all if it can be seen that the process has ended.

use std::{sync::Mutex, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{
    clock::{Clock, Timestamp},
    processes::{Owner, Processes},
    store::{Store, StoreError},
};

/// A lease that we hold. Dropping it does not free it: a dropped deployment may have left things
/// half done.
pub struct Lease<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    term: Duration,
    held: Mutex<Held>,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Somebody else deploys.
    #[error("another deployment is under way")]
    Locked {
        /// Who.
        owner: Owner,
        /// Until when, unless they go on.
        expires: Timestamp,
    },
    /// It ran out or was taken from us.
    #[error("the lease was lost")]
    Lost,
    /// The store failed.
    #[error("the lease cannot be kept")]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Held {
    owner: Owner,
    expires: Timestamp,
}

/// The document that holds it.
const NAME: &str = "lease.json";

/// Tries against others who try at the same moment.
const ATTEMPTS: u32 = 3;

// === impl Lease ===

impl<'a> Lease<'a> {
    /// Takes the lease, also from one who is gone or let it run out.
    ///
    /// # Errors
    /// [`LeaseError::Locked`] if somebody holds it.
    pub async fn take(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        processes: &dyn Processes,
        term: Duration,
    ) -> Result<Self, LeaseError> {
        let mut last = LeaseError::Lost;
        for _ in 0..ATTEMPTS {
            let found = store.read(NAME).await?;
            // What cannot be read was torn by somebody who died: writing it is one step.
            let holder = found
                .as_deref()
                .and_then(|bytes| serde_json::from_slice::<Held>(bytes).ok());
            if let Some(holder) = holder {
                let is_free = holder.expires <= clock.now() || processes.is_gone(&holder.owner);
                if !is_free {
                    let Held { owner, expires } = holder;
                    return Err(LeaseError::Locked { owner, expires });
                }
            }
            let held = Held {
                owner: processes.me(),
                expires: clock.now().plus(term),
            };
            let new = written(&held);
            if store.swap(NAME, found.as_deref(), Some(&new)).await? {
                return Ok(Self {
                    store,
                    clock,
                    term,
                    held: Mutex::new(held),
                });
            }
            last = LeaseError::Lost;
        }
        Err(last)
    }

    /// Who holds the lease now, if anybody does.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn holder(
        store: &dyn Store,
        clock: &dyn Clock,
        processes: &dyn Processes,
    ) -> Result<Option<Owner>, StoreError> {
        let found = store.read(NAME).await?;
        let held = found.and_then(|bytes| serde_json::from_slice::<Held>(&bytes).ok());
        Ok(held
            .filter(|held| held.expires > clock.now() && !processes.is_gone(&held.owner))
            .map(|held| held.owner))
    }

    /// Whether we hold it. Our own clock is enough: nobody takes it before its expiry, except
    /// from the dead.
    pub fn is_held(&self) -> bool {
        self.clock.now() < self.current().expires
    }

    /// Renews the lease for as long as it is polled; returns only when it is lost.
    pub async fn keep(&self) -> LeaseError {
        loop {
            sleep(self.term / 3).await;
            match self.renew().await {
                Ok(()) => {}
                // A disk that is full for a moment costs nothing yet.
                Err(LeaseError::Store(_)) if self.is_held() => {}
                Err(error) => return error,
            }
        }
    }

    /// Frees the lease.
    ///
    /// # Errors
    /// If the store fails; it runs out by itself then.
    pub async fn free(self) -> Result<(), LeaseError> {
        let mine = written(&self.current());
        self.store.swap(NAME, Some(&mine), None).await?;
        Ok(())
    }

    async fn renew(&self) -> Result<(), LeaseError> {
        let held = self.current();
        if !self.is_held() {
            return Err(LeaseError::Lost);
        }
        let next = Held {
            expires: self.clock.now().plus(self.term),
            ..held.clone()
        };
        let (mine, renewed) = (written(&held), written(&next));
        if !self.store.swap(NAME, Some(&mine), Some(&renewed)).await? {
            return Err(LeaseError::Lost);
        }
        *self
            .held
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = next;
        Ok(())
    }

    fn current(&self) -> Held {
        self.held
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

fn written(held: &Held) -> Vec<u8> {
    serde_json::to_vec(held).unwrap_or_default()
}
