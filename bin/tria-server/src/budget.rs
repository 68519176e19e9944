//! How the time that a stop may take is shared out.
//!
//! The traffic ends first, then the monitor and what is worked on still, then the pools, then what must outlive the runtime:
//! one after another, so their limits add up. `SHUTDOWN_GRACE` must hold them all.

use std::time::Duration;

use tria_env_check::Values;
use tria_lifecycle::serve::ServerHandle;

/// How long new requests are still accepted after the signal to stop in production, unless
/// `PRE_DRAIN` says otherwise: by then load balancers have learned of it.
pub(crate) const PRODUCTION_PRE_DRAIN: Duration = Duration::from_secs(3);

/// What ending the connections takes beyond `DRAIN`.
const DRAIN_MARGIN: Duration = ServerHandle::STOP_MARGIN;

/// How long the monitor may take to stop.
pub(crate) const MONITOR_STOP: Duration = Duration::from_secs(2);

/// How long messages may take to be answered to the end that nobody waits for any more.
pub(crate) const WORK_STOP: Duration = MONITOR_STOP;

/// How long of that they may go on; the rest is for giving them up.
pub(crate) const LAST_WORK: Duration = Duration::from_secs(1);

/// How long what is done beside messages may take to stop. With what a task that does not is given
/// beyond, it is within the time of the two above, at which it goes on.
pub(crate) const UPKEEP_STOP: Duration = Duration::from_secs(1);

/// How long closing a pool may take.
pub(crate) const POOL_STOP: Duration = Duration::from_secs(3);

/// What is kept for the end of the runtime, and for what must outlive it.
pub(crate) const AFTER_RUN: Duration = Duration::from_secs(2);

/// How long of that the runtime may hold the exit for work that cannot be cancelled, such as a name
/// being looked up.
pub(crate) const RUNTIME_END: Duration = Duration::from_millis(200);

/// How long of that probes may take for their last answer after a start that failed.
pub(crate) const LAST_ANSWERS: Duration = Duration::from_millis(200);

/// How long of that what is left to report may take.
pub(crate) const LAST_REPORTS: Duration = Duration::from_millis(1500);

/// What a stop may take besides `PRE_DRAIN` and `DRAIN`.
const BESIDES: Duration = Duration::from_secs(8);

const _: () = assert!(
    BESIDES.as_secs()
        == DRAIN_MARGIN.as_secs()
            + MONITOR_STOP.as_secs()
            + POOL_STOP.as_secs()
            + AFTER_RUN.as_secs()
);

const _: () = assert!(
    RUNTIME_END.as_millis() + LAST_ANSWERS.as_millis() + LAST_REPORTS.as_millis()
        <= AFTER_RUN.as_millis()
);

/// What is wrong where the times do not fit.
pub(crate) const MISFIT: &str = "is less than PRE_DRAIN, DRAIN and the 8s of closing what is open";

/// What to do about it.
pub(crate) const REMEDY: &str = "raise SHUTDOWN_GRACE, or lower DRAIN or PRE_DRAIN, which is 3s \
                                 in production unless it is set";

/// Whether `SHUTDOWN_GRACE` holds what a stop may take.
pub(crate) fn fits(values: &Values) -> bool {
    let time = |key| humantime::parse_duration(values.get_or_default(key)?).ok();
    let pre_drain = time("PRE_DRAIN").unwrap_or(match values.get("ENVIRONMENT") {
        Some("production") => PRODUCTION_PRE_DRAIN,
        _ => Duration::ZERO,
    });
    match (time("DRAIN"), time("SHUTDOWN_GRACE")) {
        (Some(drain), Some(grace)) => pre_drain + drain + BESIDES <= grace,
        // What is no duration is complained about by its own rule.
        _ => true,
    }
}
