//! The answer that is given again.

use std::fmt;

/// The longest body that is stored, in bytes.
pub(crate) const MOST_BYTES: usize = 64 * 1024;

/// An answer to a request, as it was given and will be given again. Its `Debug` hides the body.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The body, of at most 64 KiB.
    pub body: Vec<u8>,
}

impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
