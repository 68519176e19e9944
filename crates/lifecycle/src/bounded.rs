//! Work that may hang, and is not waited for if it does.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::PanicMessage;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Unfinished {
    TimedOut,
    Panicked(PanicMessage),
    /// There was no thread to be had.
    NotBegun(std::io::Error),
}

/// Runs `work` on a thread of its own, and waits for its end no longer than `limit`. Work that
/// takes longer goes on, until the process ends.
pub(crate) fn bounded<T: Send + 'static>(
    name: &str,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (tell, told) = mpsc::sync_channel(1);
    let run = move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        let _ = tell.send(result.map_err(|payload| PanicMessage::from_payload(&*payload)));
    };
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(Unfinished::NotBegun)?;
    match told.recv_timeout(limit) {
        Ok(result) => result.map_err(Unfinished::Panicked),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(Unfinished::TimedOut)
        }
    }
}
