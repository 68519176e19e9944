use tria_chroma::Error;

/// Why it is not known what answers a question. This is never the same as that nothing does: the
/// customer is asked to come back, and is not told that nothing is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The server is down, starting, busy or out of reach.
    #[error("the collections cannot be reached")]
    Unavailable(#[source] Error),
    /// A collection is not there, or not as it must be: it was not ingested, or is being rebuilt.
    #[error("collection {collection} {reason}")]
    Missing {
        /// Which one.
        collection: &'static str,
        /// What is wrong with it.
        reason: MissingReason,
    },
    /// It took longer than the limit that was given.
    #[error("the collections did not answer in time")]
    OutOfTime,
    /// The server answered something that waiting does not mend, such as that it does not know the
    /// token.
    #[error("the collections cannot be read")]
    Refused(#[source] Error),
}

/// What is wrong with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MissingReason {
    /// There is none of that name.
    #[error("does not exist")]
    Absent,
    /// It holds nothing.
    #[error("is empty")]
    Empty,
    /// Another model embedded it.
    #[error("has {stored} dimensions, and the question has {given}")]
    OtherDimension {
        /// Those of the collection.
        stored: u32,
        /// Those of the question's vector.
        given: usize,
    },
    /// Its distances are no cosines, so that a score would mean something else.
    #[error("does not measure cosines")]
    OtherSpace,
}

// === impl RetrievalError ===

impl RetrievalError {
    /// Whether another try can succeed without anyone changing anything. A collection that is
    /// missing may be there again in a moment, when it is being rebuilt.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::OutOfTime => true,
            Self::Missing { reason, .. } => {
                matches!(reason, MissingReason::Absent | MissingReason::Empty)
            }
            Self::Refused(_) => false,
        }
    }
}

impl From<Error> for RetrievalError {
    fn from(error: Error) -> Self {
        if error.is_transient() {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}
