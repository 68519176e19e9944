//! Waiting for the person, or the system, to say that it is enough.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, SIGTERM or the terminal's end, whichever comes first.
pub(crate) struct Stop {
    signals: [(SignalKind, Signal); 3],
}

impl Stop {
    /// Listens from now on, so that a signal during a slow start is not lost.
    pub(crate) fn listen() -> io::Result<Self> {
        let listen = |kind| signal(kind).map(|signal| (kind, signal));
        let (interrupt, terminate) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
        );
        Ok(Self {
            signals: [interrupt, terminate, listen(SignalKind::hangup())?],
        })
    }

    /// The number of the next signal.
    pub(crate) async fn next(&mut self) -> i32 {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.1.recv() => interrupt.0.as_raw_value(),
            _ = terminate.1.recv() => terminate.0.as_raw_value(),
            _ = hangup.1.recv() => hangup.0.as_raw_value(),
        }
    }
}
