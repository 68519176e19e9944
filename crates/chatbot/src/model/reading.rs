//! What readiness, diagnostics and metrics see of the circuits.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap};

/// Both circuits of a [`Model`](super::Model) at a moment. Durations are written in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BreakerReading {
    /// The worse of the two.
    pub state: CircuitState,
    /// When all that is open is asked again; `None` where nothing is open.
    #[serde(rename = "retry_after_ms", serialize_with = "milliseconds")]
    pub retry_after: Option<Duration>,
    /// That of completions, streams and structured answers.
    pub chat: CircuitReading,
    /// That of embeddings.
    pub embeddings: CircuitReading,
}

/// One circuit at a moment. The numbers are read one after another, so that those of a moment in
/// which something changes may be off by one against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CircuitReading {
    /// Whether requests are let through.
    pub state: CircuitState,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// How long ago it left the closed state.
    #[serde(rename = "opened_since_ms", serialize_with = "milliseconds")]
    pub opened_since: Option<Duration>,
    /// How long nothing is sent from now on; zero where the next request is let through as a
    /// probe, and `None` where the circuit is not open.
    #[serde(rename = "retry_after_ms", serialize_with = "milliseconds")]
    pub retry_after: Option<Duration>,
    /// How often it left the closed state.
    pub opened_total: u64,
    /// Requests sent, repeated ones included.
    pub calls_total: u64,
    /// Requests not sent.
    pub shed_total: u64,
    /// Requests that failed.
    pub failures_total: u64,
    /// Those by kind.
    pub failures: Failures,
}

/// Whether requests are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// All are.
    Closed,
    /// One is, as a probe; the next does as it fares.
    HalfOpen,
    /// None are.
    Open,
}

/// How a request failed for which the API, the way to it or the key to it is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection, one that was lost, or HTTP 5xx.
    Unavailable,
    /// No answer, or no further part of it, in the time that one call may take.
    TimedOut,
    /// HTTP 429 for the pace of requests.
    Busy,
    /// The quota is used up.
    Quota,
    /// The key was not taken.
    Unauthorized,
    /// What answered is no OpenAI-compatible API.
    Malformed,
    /// A stream broke off.
    Cut,
}

/// Failures by kind; written as an object with a number for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    counts: [u64; FailureKind::ALL.len()],
}

// === impl CircuitState ===

impl CircuitState {
    /// As it is written: `closed`, `half_open`, `open`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }

    /// The one of the two that lets less through.
    pub(super) fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::HalfOpen, _) | (_, Self::HalfOpen) => Self::HalfOpen,
            (Self::Closed, Self::Closed) => Self::Closed,
        }
    }
}

// === impl FailureKind ===

impl FailureKind {
    /// All of them: the closed list of a metric's label.
    pub const ALL: [Self; 7] = [
        Self::Unavailable,
        Self::TimedOut,
        Self::Busy,
        Self::Quota,
        Self::Unauthorized,
        Self::Malformed,
        Self::Cut,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::Quota => "quota",
            Self::Unauthorized => "unauthorized",
            Self::Malformed => "malformed",
            Self::Cut => "cut",
        }
    }
}

// === impl Failures ===

impl Failures {
    pub(super) fn count(count: impl Fn(FailureKind) -> u64) -> Self {
        Self {
            counts: FailureKind::ALL.map(count),
        }
    }

    /// How many were of this kind.
    pub fn of(&self, kind: FailureKind) -> u64 {
        self.counts[kind as usize]
    }

    /// Each kind with its number.
    pub fn iter(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        FailureKind::ALL.into_iter().zip(self.counts)
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Serialize for Failures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.counts.len()))?;
        for (kind, count) in self.iter() {
            map.serialize_entry(kind.as_str(), &count)?;
        }
        map.end()
    }
}

#[expect(clippy::ref_option, reason = "serde hands the field on so")]
fn milliseconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let duration = duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    duration.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_at_its_place() {
        for (index, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
            let failures = Failures::count(|counted| u64::from(counted == kind));
            assert_eq!((failures.of(kind), failures.total()), (1, 1));
        }
    }

    #[test]
    fn the_worse_state_shows() {
        use CircuitState::{Closed, HalfOpen, Open};
        for (one, other, worse) in [
            (Closed, Closed, Closed),
            (Closed, HalfOpen, HalfOpen),
            (Closed, Open, Open),
            (HalfOpen, HalfOpen, HalfOpen),
            (HalfOpen, Open, Open),
            (Open, Open, Open),
        ] {
            assert_eq!((one.worse(other), other.worse(one)), (worse, worse));
            assert_eq!(serde_json::json!(one), one.as_str());
        }
    }
}
