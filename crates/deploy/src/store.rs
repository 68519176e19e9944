//! Where a deployment keeps what it must not forget: state, journal, lease, backups' manifests.

mod files;

use async_trait::async_trait;

pub use self::files::FileStore;

/// Small named documents that survive us. What was written is on the disk when a method returns.
#[async_trait]
pub trait Store: Send + Sync {
    /// A document; none if there is no such one.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a document, all of it or nothing.
    async fn write(&self, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// Adds to a document. If we die, a part of it may have been added.
    async fn append(&self, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// Writes or removes a document if it is as expected, and says whether it was. Of two that
    /// try at once, one wins.
    async fn swap(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError>;

    /// Removes a document; one that is gone is left alone.
    async fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// The names that begin so, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// Whether that can be the name of a document: one file of one folder, and not a hidden one.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=200).contains(&name.len()) && !name.starts_with(['.', '-']) && name.bytes().all(is_plain)
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {name} of the deployment's state")]
pub struct StoreError {
    /// What was tried, as in "read".
    pub action: &'static str,
    /// Which document.
    pub name: String,
    /// Why not.
    #[source]
    pub source: std::io::Error,
}
