//! Why a turn was not written.

use tokio_postgres::error::SqlState;

use crate::{DatabaseError, orders::Problem};

/// Why a turn was not written; nothing of it was, or, where the connection broke, it is not known.
/// Trying again with the same key is safe in any case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TurnError {
    /// The order cannot be had as it is; each problem is for the customer to mend. The key is
    /// free for a turn that says so.
    #[error("the order cannot be placed as it is")]
    Refused(Vec<Problem>),
    /// The key stands for another request of the same user, or for one whose answer was pruned.
    #[error("this key was used for another request")]
    KeyTaken,
    /// Another turn of the conversation came between, or opened it: read it again, and think again.
    #[error("the conversation has moved on")]
    Moved,
    /// There is no such conversation, it is closed, or it is somebody else's.
    #[error("no such conversation")]
    NoSession,
    /// The outlet that the conversation is to be about does not exist, or is delivered to no more.
    #[error("no such outlet")]
    NoSuchOutlet,
    /// The body of the answer is larger than 64 KiB.
    #[error("an answer of more than 64 KiB cannot be stored")]
    AnswerTooLarge,
    /// PostgreSQL did not answer, or no connection to it was free.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed, or the connection broke.
    #[error("the database refused")]
    Database(#[from] tokio_postgres::Error),
}

// === impl TurnError ===

impl TurnError {
    /// Whether the same turn may well be written when it is tried again at once: a transaction
    /// gave way to another, or its connection was lost.
    pub fn is_transient(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error.code() {
            Some(code) => [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::LOCK_NOT_AVAILABLE,
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
            ]
            .contains(code),
            None => error.is_closed() || is_of_the_network(error),
        }
    }
}

impl From<DatabaseError> for TurnError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Pool(error) => Self::Pool(error),
            DatabaseError::Database(error) => Self::Database(error),
        }
    }
}

fn is_of_the_network(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}
