//! The service manager that started this process, if one did.

use std::{ffi::OsStr, process, time::Duration};

use tria_check::Heartbeats;
use tria_lifecycle::ServiceManager;

use crate::environment::process_key;

/// The service manager that waits for news of this process; it hears signs of life while none of
/// `heartbeats` is overdue.
pub(crate) fn of_process(heartbeats: &Heartbeats) -> Option<ServiceManager> {
    let socket = process_key("NOTIFY_SOCKET")?;
    let manager = match ServiceManager::at(OsStr::new(&socket)) {
        Ok(manager) => manager,
        Err(error) => {
            tracing::warn!(%error, socket, "the service manager's NOTIFY_SOCKET is of no use");
            return None;
        }
    };
    Some(match watchdog() {
        Some(interval) => manager.watchdog(interval, heartbeats),
        None => manager,
    })
}

/// How often the manager wants a sign of life of this very process; never, if not set.
fn watchdog() -> Option<Duration> {
    let is_for_us = process_key("WATCHDOG_PID").is_none_or(|pid| pid.parse() == Ok(process::id()));
    let micros = process_key("WATCHDOG_USEC")?.parse().ok()?;
    (is_for_us && micros > 0).then(|| Duration::from_micros(micros))
}
