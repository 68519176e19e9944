//! What is remembered from one deployment to the next.

pub mod status;

use serde::{Deserialize, Serialize};

use crate::{
    fingerprint::FingerprintKey,
    release::Release,
    store::{Store, StoreError},
};

/// What serves, what served before, and what was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The highest number that a release was given.
    pub last_number: u64,
    /// The release that serves.
    pub current: Option<Release>,
    /// The one before, which a rollback goes to.
    pub previous: Option<Release>,
    /// Why the release that serves is not as it should be; a deployment then makes a new one even
    /// if nothing changed.
    pub degraded: Option<String>,
    /// One that failed its tests behind the front door, kept so that it can be looked at.
    pub rejected: Option<Release>,
}

/// The state cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The store failed.
    #[error("the state cannot be read")]
    Store(#[from] StoreError),
    /// It is not what we write.
    #[error("the state is damaged")]
    Damaged(#[source] serde_json::Error),
}

const NAME: &str = "state.json";
const KEY: &str = "fingerprint.key";

// === impl State ===

impl State {
    /// Reads the state; an empty one before the first deployment.
    ///
    /// # Errors
    /// If the store fails, or the document is not ours.
    pub async fn read(store: &dyn Store) -> Result<Self, StateError> {
        match store.read(NAME).await? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(StateError::Damaged),
            None => Ok(Self::default()),
        }
    }

    /// Writes the state.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        store.write(NAME, &bytes).await
    }

    /// All releases that are remembered.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        [&self.current, &self.previous, &self.rejected]
            .into_iter()
            .flatten()
    }

    /// Makes a release the one that serves. The one that did is kept as the way back; to do it
    /// twice changes nothing.
    pub fn promote(&mut self, release: &Release) {
        let is_current = |current: &Option<Release>| {
            current
                .as_ref()
                .is_some_and(|it| it.number == release.number)
        };
        if !is_current(&self.current) {
            self.previous = self.current.take();
        }
        // Whatever was refused before is of no interest any more.
        self.rejected = None;
        self.current = Some(release.clone());
    }
}

/// The key of the fingerprints; made once.
///
/// # Errors
/// If the store fails.
pub async fn fingerprint_key(store: &dyn Store) -> Result<FingerprintKey, StoreError> {
    let found = store.read(KEY).await?;
    if let Some(key) = found.as_deref().and_then(FingerprintKey::from_bytes) {
        return Ok(key);
    }
    let mut bytes = [0; FingerprintKey::LENGTH];
    for half in bytes.chunks_exact_mut(16) {
        half.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    store.swap(KEY, found.as_deref(), Some(&bytes)).await?;
    // Whoever was first has made the one that counts.
    let kept = store.read(KEY).await?;
    let kept = kept.as_deref().and_then(FingerprintKey::from_bytes);
    Ok(kept.unwrap_or(FingerprintKey::from_array(bytes)))
}
