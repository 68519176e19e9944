//! The phase of a process, as every crate of the toolkit names it.

use serde::Serialize;

/// Where a process stands between its start and its end. Phases only ever move forward:
///
/// `Starting → Ready → Draining → Stopping → Stopped`, or
/// `Starting → RollingBack → Failed` (or `Stopped`, when the start was interrupted on purpose).
///
/// ```
/// use tria_check::Phase;
/// assert!(Phase::Starting.may_become(Phase::Ready));
/// assert!(!Phase::Ready.may_become(Phase::Starting));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Hooks are being started; nothing is served but probes.
    Starting,
    /// Everything started; requests are served.
    Ready,
    /// A stop was asked for; requests in flight are being finished.
    Draining,
    /// Hooks are being stopped.
    Stopping,
    /// A start failed or was interrupted; what had started is being stopped.
    RollingBack,
    /// Stopped, with the exit code of the process.
    Stopped(u8),
    /// The start failed, with the exit code of the process.
    Failed(u8),
}

// === impl Phase ===

impl Phase {
    /// Whether the process accepts traffic.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ready)
    }

    /// Whether the process has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped(_) | Self::Failed(_))
    }

    /// Whether a stop was asked for or a start failed: from here on there is no way back.
    pub fn is_ending(self) -> bool {
        !matches!(self, Self::Starting | Self::Ready)
    }

    /// Whether `next` is a legal successor of this phase.
    pub fn may_become(self, next: Self) -> bool {
        use Phase::{Draining, Failed, Ready, RollingBack, Starting, Stopped, Stopping};
        matches!(
            (self, next),
            (Starting, Ready | RollingBack)
                | (Ready, Draining)
                | (Draining, Stopping)
                | (Stopping, Stopped(_))
                | (RollingBack, Stopped(_) | Failed(_))
        )
    }

    /// The phase's name as the wire formats write it, without its exit code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
            Self::RollingBack => "rolling_back",
            Self::Stopped(_) => "stopped",
            Self::Failed(_) => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{self, Draining, Failed, Ready, RollingBack, Starting, Stopped, Stopping};

    #[test]
    fn no_phase_can_be_entered_twice() {
        let all = [
            Starting,
            Ready,
            Draining,
            Stopping,
            RollingBack,
            Stopped(0),
            Failed(69),
        ];
        // Reachability over the legal steps must hold no cycle.
        for start in all {
            let mut frontier = vec![start];
            for _ in 0..all.len() {
                frontier = frontier
                    .iter()
                    .flat_map(|from| all.iter().copied().filter(|to| from.may_become(*to)))
                    .collect::<Vec<Phase>>();
                assert!(!frontier.contains(&start), "{start:?} can be entered twice");
            }
        }
    }

    #[test]
    fn an_end_has_no_successor() {
        for end in [Stopped(0), Failed(70)] {
            assert!(end.is_final());
            assert!(!end.may_become(Starting) && !end.may_become(Ready));
        }
    }
}
