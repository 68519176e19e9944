//! The clock of the other machine: all who deploy to it must tell the same time, or one would take
//! a lease from another that has not run out.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::clock::{Clock, SystemClock, Timestamp};

/// The time of a machine, from what it said once and what has passed since.
#[derive(Clone, Copy, Debug)]
pub struct ServerClock {
    said: Timestamp,
    at: Duration,
}

// === impl ServerClock ===

impl ServerClock {
    /// The machine has just said that it is this time.
    pub(super) fn started_at(said: Timestamp) -> Self {
        Self {
            said,
            at: since_boot(),
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        self.said.plus(since_boot().saturating_sub(self.at))
    }

    fn here(&self) -> Timestamp {
        SystemClock.now()
    }
}

/// Goes on while this machine sleeps, and does not jump when somebody sets its clock.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_what_was_said() {
        let clock = ServerClock::started_at(Timestamp::from_millis(5_000));
        let (early, late) = (clock.now(), clock.now());
        assert!(early >= Timestamp::from_millis(5_000) && late >= early);
        assert!(clock.here() > Timestamp::from_millis(1_700_000_000_000));
    }
}
