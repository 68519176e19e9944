//! Why the collections were not filled.

use std::time::Duration;

use async_openai::error::OpenAIError;
use deadpool_postgres::PoolError;

use crate::EmbedError;

/// Why the collections were not filled. What was written until then stays, and the next run goes
/// on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// There is no connection to be had.
    #[error("no connection to the database")]
    Connect(#[source] PoolError),
    /// The products could not be read, or the lock not be asked for.
    #[error("the products cannot be read")]
    Database(#[source] tokio_postgres::Error),
    /// Somebody else has been ingesting for too long.
    #[error("somebody else is ingesting, after {} s of waiting", waited.as_secs())]
    Locked {
        /// How long it was waited for.
        waited: Duration,
    },
    /// A collection could not be read or written.
    #[error("a collection cannot be read or written")]
    Collections(#[source] tria_chroma::Error),
    /// There are no vectors.
    #[error("the texts cannot be embedded")]
    Embed(#[source] EmbedError),
    /// The collection holds vectors of another model; nothing was written.
    #[error("collection {collection} was embedded by {stored}, not by {given}")]
    OtherModel {
        /// Which one.
        collection: String,
        /// The model that its records note.
        stored: String,
        /// The model of the embedder.
        given: String,
    },
    /// The collection holds vectors of another length than the model makes; nothing was written.
    #[error("collection {collection} has {stored} dimensions, and {model} makes {given}")]
    OtherDimension {
        /// Which one.
        collection: String,
        /// That of the collection.
        stored: u32,
        /// That of the model.
        given: usize,
        /// The model of the embedder.
        model: String,
    },
}

// === impl IngestError ===

impl IngestError {
    /// Whether the collections must be rebuilt, or the model set back.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Self::OtherModel { .. } | Self::OtherDimension { .. })
    }

    /// Whether another try can succeed without anyone changing anything. Of the database's errors
    /// only the caller can tell, by the driver's error in the chain.
    pub fn is_transient(&self) -> bool {
        match self {
            // A collection that was deleted meanwhile is there for the next run.
            Self::Collections(error) => error.is_transient() || error.is_not_found(),
            Self::Locked { .. } | Self::Embed(EmbedError::Api(OpenAIError::Reqwest(_))) => true,
            Self::Embed(EmbedError::Model(error)) => error.is_transient(),
            Self::Embed(EmbedError::Api(OpenAIError::ApiError(error))) => {
                let status = error.status_code;
                status.is_server_error() || matches!(status.as_u16(), 408 | 429)
            }
            _ => false,
        }
    }
}
