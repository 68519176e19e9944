//! A server that serves.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{DrainReport, DrainSignal, Load, core::Core};
use crate::Hook;

/// A server that serves. Clones are the same server.
#[derive(Clone)]
pub struct ServerHandle {
    core: Arc<Core>,
}

/// What the hook's stop needs beside the drain: to cut off what is left, and to say so.
const MARGIN: Duration = Duration::from_millis(500);

// === impl ServerHandle ===

impl ServerHandle {
    /// How much longer than the drain timeout the stop of its [hook](Self::hook) may take.
    pub const STOP_MARGIN: Duration = MARGIN.saturating_mul(2);

    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.core.address
    }

    /// What tells handlers that the server closes.
    pub fn drain_signal(&self) -> DrainSignal {
        self.core.signal.clone()
    }

    /// What it is at.
    pub fn load(&self) -> Load {
        self.core.load()
    }

    /// How the drain went, once it is over.
    pub fn drain_report(&self) -> Option<DrainReport> {
        *self.core.report.borrow()
    }

    /// A hook of the given name, which does all that a lifecycle needs: the pre-drain begins as
    /// soon as a stop is asked for, and its stop drains the server. It fails if something had to
    /// be cut off.
    ///
    /// The server serves already when the lifecycle starts. A start that fails or is interrupted
    /// drains it, too, without a pre-drain: what was accepted until then is finished.
    ///
    /// Let it come [`after`](Hook::after) all that its handlers use.
    pub fn hook(&self, name: impl Into<String>) -> Hook {
        let (starting, stopping) = (self.clone(), self.clone());
        Hook::new(name)
            .stop_timeout(self.core.limits.drain + Self::STOP_MARGIN)
            .stop_without_start()
            .on_start(async move |cx| {
                tokio::spawn(async move {
                    let mut report = starting.core.report.subscribe();
                    tokio::select! {
                        _ = cx.shutdown_handle().requested() => starting.pre_drain(),
                        // Somebody drained it without the lifecycle.
                        _ = report.wait_for(Option::is_some) => {}
                    }
                });
                Ok(())
            })
            .on_stop(async move |cx| {
                let own = Instant::now() + stopping.core.limits.drain;
                let last = cx.deadline() - MARGIN.min(cx.time_left() / 4);
                stopping.drain_until(own.min(last)).await.clean()?;
                Ok(())
            })
    }

    /// Begins to send clients away: connections are still accepted and requests still served, but
    /// each answer tells its client to come back on another connection. There is no way back.
    pub fn pre_drain(&self) {
        self.core.begin_pre_drain();
    }

    /// Drains the server within its [drain timeout](super::Server::drain_timeout).
    pub async fn drain(&self) -> DrainReport {
        self.drain_until(Instant::now() + self.core.limits.drain)
            .await
    }

    /// Closes the listener, finishes what is in flight, cuts off the rest at `deadline`, and says
    /// how it went. If it is drained already, the earlier deadline counts, and the report is the
    /// same for all. Dropping the future stops nothing.
    pub async fn drain_until(&self, deadline: Instant) -> DrainReport {
        self.core.asked.send_if_modified(|asked| {
            let is_sooner = asked.is_none_or(|asked| deadline < asked);
            if is_sooner {
                *asked = Some(deadline);
            }
            is_sooner
        });
        let mut report = self.core.report.subscribe();
        let report = report.wait_for(Option::is_some).await;
        // The sender is in `core`, and what was waited for is there.
        report.ok().and_then(|report| *report).unwrap_or_default()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("address", &self.core.address)
            .field("load", &self.load())
            .finish_non_exhaustive()
    }
}
