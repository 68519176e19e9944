//! What can go wrong with an engine.

/// Any error of a driver.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An operation of the engine failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine does not answer.
    #[error("the container engine cannot be reached")]
    Unreachable(#[source] BoxError),
    /// There is no such thing.
    #[error("{what} does not exist")]
    Missing {
        /// Which thing.
        what: String,
    },
    /// The name is taken.
    #[error("{what} exists already")]
    Exists {
        /// Which thing.
        what: String,
    },
    /// It answered, and said no.
    #[error("the container engine could not {action}")]
    Refused {
        /// What it was asked to do, as in "start tria-1".
        action: String,
        /// What it said.
        #[source]
        source: BoxError,
    },
}
