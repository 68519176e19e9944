//! A request that is sent twice is done once.
//!
//! A [`Gate`] lets the first request with an `Idempotency-Key` pass, with a [`Claim`] on it. A
//! second one that comes before the first is done waits for it, and gets the same answer, byte for
//! byte; so does any that comes later, until the answer is forgotten.
//!
//! A claim is a lease: it is renewed as long as the [`Claim`] lives, and runs out by itself when its
//! process dies. Hence two may believe for a while that they hold it, after a pause that was longer
//! than the lease, say; only the one that does can store its answer. What must never happen twice,
//! the order itself, needs a unique column in the database besides.
//!
//! Work that must not be cut short when a client leaves belongs into a task of its own, together
//! with the claim.

mod answer;
mod claim;
mod fingerprint;
mod gate;
mod key;
mod scripts;
#[cfg(test)]
mod tests;

pub(crate) use answer::MOST_BYTES;
pub use answer::StoredAnswer;
pub use claim::Claim;
pub use fingerprint::fingerprint;
pub use gate::{Entry, Gate, GateError, GateOptions};
pub use key::{Key, KeyError};
