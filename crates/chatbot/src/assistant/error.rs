//! Why a message got no answer.

use crate::{
    DatabaseError, EmbedError, OutOfTime, model::ModelError, retrieval::RetrievalError,
    sessions::SessionError, turns::TurnError,
};

/// Why a message got no answer; nothing was kept of it then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The session is not one of this user, or is over.
    #[error("no such session")]
    Session,
    /// There is no such outlet.
    #[error("no such outlet")]
    NoSuchOutlet,
    /// No outlet is called so.
    #[error("no outlet has this name")]
    NoSuchOutletName,
    /// The key stands for another request of this user.
    #[error("the key stands for another request")]
    KeyTaken,
    /// Other messages of the same session came between, again and again.
    #[error("the session is busy with other messages")]
    Contended,
    /// There was no time left.
    #[error("the time for the request is used up")]
    OutOfTime(#[from] OutOfTime),
    /// The model gave no answer.
    #[error("the model gave no answer")]
    Model(#[from] ModelError),
    /// ChromaDB gave no answer.
    #[error("the vector store gave no answer")]
    Retrieval(#[from] RetrievalError),
    /// PostgreSQL gave no answer.
    #[error("the database gave no answer")]
    Database(#[from] DatabaseError),
    /// What came of the message could not be kept.
    #[error("what came of the message could not be kept")]
    Turn(#[source] TurnError),
}

// === impl AnswerError ===

impl AnswerError {
    /// Whether another try can succeed without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Contended | Self::OutOfTime(_) | Self::Database(_) | Self::Turn(_) => true,
            Self::Model(error) => error.is_transient(),
            Self::Retrieval(error) => error.is_transient(),
            Self::Session | Self::NoSuchOutlet | Self::NoSuchOutletName | Self::KeyTaken => false,
        }
    }
}

impl From<TurnError> for AnswerError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::KeyTaken => Self::KeyTaken,
            TurnError::Moved => Self::Contended,
            TurnError::NoSession => Self::Session,
            TurnError::NoSuchOutlet => Self::NoSuchOutlet,
            other => Self::Turn(other),
        }
    }
}

impl From<SessionError> for AnswerError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NotFound => Self::Session,
            SessionError::Pool(error) => Self::Database(error.into()),
            SessionError::Database(error) => Self::Database(error.into()),
        }
    }
}

impl From<EmbedError> for AnswerError {
    fn from(error: EmbedError) -> Self {
        Self::Model(match error {
            EmbedError::Model(error) => error,
            // Embedders here are of a model, whose errors are above.
            _ => ModelError::Misfit,
        })
    }
}

impl From<deadpool_postgres::PoolError> for AnswerError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Database(error.into())
    }
}

impl From<tokio_postgres::Error> for AnswerError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}
