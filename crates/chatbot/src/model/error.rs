//! Why the model gave no answer.

use std::{error::Error, fmt, iter, time::Duration};

use super::reading::FailureKind;
use crate::OutOfTime;

/// Why the model gave no answer. No text holds the key, the host, what was asked or what was
/// answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Nothing was sent: the API failed too often in a row, and is given a rest.
    #[error("the model API failed too often and is not asked for a while")]
    Open {
        /// When it is asked again.
        retry_after: Duration,
    },
    /// No answer came in time; which time it was is the source.
    #[error("the model API gave no answer in time")]
    OutOfTime(#[source] OutOfTime),
    /// HTTP 429 for the pace of requests.
    #[error("the model API limits the rate of requests")]
    Busy {
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// HTTP 429 or 402 because the quota or the balance is used up. Waiting does not help.
    #[error("the quota at the model API is used up")]
    Quota,
    /// The API does not take the request, and would not take it again.
    #[error("the model API refused the request")]
    Refused {
        /// The HTTP status; 401 for a key that it does not take, whichever status says so.
        status: u16,
    },
    /// HTTP 5xx, or no connection, or one that was lost before the answer was complete.
    #[error("the model API is unavailable")]
    Unavailable {
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
        /// What happened to the connection; `None` after a 5xx.
        #[source]
        cause: Option<Cause>,
    },
    /// A stream ended before the answer did. What came of it until then was passed on.
    #[error("the model's answer broke off")]
    Cut(#[source] Option<Cause>),
    /// The model, or a filter before or behind it, does not answer this.
    #[error("the model withheld its answer")]
    Withheld,
    /// What came is not what was asked for: not of an OpenAI-compatible API, without a word in it,
    /// or not of the schema.
    #[error("the model's answer has not the form that was asked for")]
    Malformed,
    /// There must be one vector for each text, all of one dimension and none of length zero.
    #[error("the model API gave embeddings that fit neither each other nor what was asked")]
    Misfit,
}

/// What happened to a connection. Its texts are for operators; they hold no URL.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Cause(reqwest::Error);

/// What the end of a request says about the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It works, whatever it thinks of this request.
    Served,
    /// It, or the way to it, or the key to it does not work.
    Failed(FailureKind),
    /// Nothing.
    Unknown,
}

// === impl ModelError ===

impl ModelError {
    /// Whether another try can succeed without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Open { .. }
            | Self::OutOfTime(_)
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::Cut(_) => true,
            Self::Quota
            | Self::Refused { .. }
            | Self::Withheld
            | Self::Malformed
            | Self::Misfit => false,
        }
    }

    /// How long to wait before another try, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open { retry_after } => Some(*retry_after),
            Self::Busy { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same request may be sent again at once. Completions and embeddings change
    /// nothing, so that a lost answer may be asked for anew; what took too long is not, for it
    /// would take as long again.
    pub(super) fn is_safe_to_repeat(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable { .. })
    }

    /// What this says about the API, where a request ended so.
    pub(super) fn verdict(&self) -> Verdict {
        let kind = match self {
            Self::Unavailable { .. } => FailureKind::Unavailable,
            Self::OutOfTime(OutOfTime::Limit) => FailureKind::TimedOut,
            Self::Busy { .. } => FailureKind::Busy,
            Self::Quota => FailureKind::Quota,
            Self::Refused { status: 401 } => FailureKind::Unauthorized,
            Self::Malformed => FailureKind::Malformed,
            Self::Cut(_) => FailureKind::Cut,
            Self::Open { .. } | Self::OutOfTime(OutOfTime::Budget) => return Verdict::Unknown,
            Self::Refused { .. } | Self::Withheld | Self::Misfit => return Verdict::Served,
        };
        Verdict::Failed(kind)
    }

    /// A stream that ends before it brought anything is no other than a lost connection.
    pub(super) fn before_the_answer(self) -> Self {
        match self {
            Self::Cut(cause) => Self::Unavailable {
                retry_after: None,
                cause,
            },
            other => other,
        }
    }

    /// And an API that becomes unavailable in the midst of a stream cuts it.
    pub(super) fn within_the_answer(self) -> Self {
        match self {
            Self::Unavailable { cause, .. } => Self::Cut(cause),
            other => other,
        }
    }

    pub(super) fn lost(error: reqwest::Error) -> Self {
        Self::Unavailable {
            retry_after: None,
            cause: Some(Cause::from(error)),
        }
    }
}

// === impl Cause ===

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }
}

impl fmt::Debug for Cause {
    /// The texts, for the fields of the drivers' errors name addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = iter::successors(Some(self as &(dyn Error + 'static)), |&error| {
            error.source()
        });
        f.debug_list()
            .entries(chain.map(ToString::to_string))
            .finish()
    }
}
