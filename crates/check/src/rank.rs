//! How verdicts weigh against each other.

use serde::Serialize;

use crate::{Criticality, Status};

/// The weight of one verdict for the whole; a higher one hides a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Nothing to say.
    Fine,
    /// A warning, or an optional check that failed or could not be told.
    Degraded,
    /// A critical check that could not be told.
    Uncertain,
    /// A critical check that failed.
    Broken,
}

/// The state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Every check passes.
    Healthy,
    /// It serves, but something is not as it should be.
    Degraded,
    /// It must not get traffic.
    Unhealthy,
}

/// Ranks one verdict: Fail(critical) > Unknown(critical) > Warn = Fail(optional) =
/// Unknown(optional) > Pass.
///
/// Written out instead of derived: a derived order once made Unknown hide Down and answer 200.
pub fn rank(status: Status, criticality: Criticality) -> Rank {
    match (status, criticality) {
        (Status::Pass, _) => Rank::Fine,
        (Status::Warn, _) | (Status::Fail | Status::Unknown, Criticality::Optional) => {
            Rank::Degraded
        }
        (Status::Unknown, Criticality::Critical) => Rank::Uncertain,
        (Status::Fail, Criticality::Critical) => Rank::Broken,
    }
}

// === impl Health ===

impl Health {
    /// The state of a whole whose verdicts have these ranks. An empty whole is healthy.
    pub fn of(ranks: impl IntoIterator<Item = Rank>) -> Self {
        match ranks.into_iter().max() {
            None | Some(Rank::Fine) => Self::Healthy,
            Some(Rank::Degraded) => Self::Degraded,
            Some(Rank::Uncertain | Rank::Broken) => Self::Unhealthy,
        }
    }

    /// The state as the wire formats write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Criticality::{Critical, Optional};
    use Status::{Fail, Pass, Unknown, Warn};

    /// Every verdict with the place it must have: a higher number hides a lower one.
    const TABLE: [(Status, Criticality, u8); 8] = [
        (Pass, Critical, 0),
        (Pass, Optional, 0),
        (Warn, Critical, 1),
        (Warn, Optional, 1),
        (Fail, Optional, 1),
        (Unknown, Optional, 1),
        (Unknown, Critical, 2),
        (Fail, Critical, 3),
    ];

    #[test]
    fn every_pair_of_verdicts_is_ordered_as_the_contract_says() {
        for (status_a, criticality_a, place_a) in TABLE {
            for (status_b, criticality_b, place_b) in TABLE {
                assert_eq!(
                    rank(status_a, criticality_a).cmp(&rank(status_b, criticality_b)),
                    place_a.cmp(&place_b),
                    "{status_a:?}({criticality_a:?}) against {status_b:?}({criticality_b:?})"
                );
            }
        }
    }

    #[test]
    fn an_unknown_never_hides_a_failure_nor_looks_healthy() {
        let both = [rank(Unknown, Critical), rank(Fail, Critical)];
        assert_eq!(Health::of(both), Health::Unhealthy);
        assert_eq!(Health::of([rank(Unknown, Critical)]), Health::Unhealthy);
        assert_eq!(
            Health::of([rank(Fail, Optional), Rank::Fine]),
            Health::Degraded
        );
        assert_eq!(Health::of([]), Health::Healthy);
    }
}
