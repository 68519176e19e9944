//! Where a check takes its connection from, and what it learns of the pool on the way.

use std::{pin::pin, time::Duration};

use deadpool_postgres::{Pool, Timeouts};
use tokio::time::{Instant, timeout_at};
use tria_check::{CheckContext, Finding, Outcome, PrivateText};

use crate::{
    Fault, Target, fault,
    lease::{Lease, Unanswered},
};

/// The application's pool, and with it perhaps one that is kept for probing.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) pool: Pool,
    pub(crate) probe: Option<Pool>,
    pub(crate) target: Option<Target>,
    pub(crate) patience: Duration,
}

/// What came of asking for a connection.
pub(crate) struct Taken {
    /// The connection; without one, why there is none, unless the pool is merely busy.
    pub(crate) lease: Result<Lease, Option<Finding>>,
    /// Whether all connections of the application's pool were in use.
    pub(crate) busy: bool,
}

enum Got {
    Lease(Lease),
    Busy,
    Failed(Finding),
}

// === impl Source ===

impl Source {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            probe: None,
            target: None,
            // Long enough for a moment of crowding to pass, short against a probe's timeout.
            patience: Duration::from_millis(500),
        }
    }

    /// Until when a check that is told `cx` must have its answer, to be able to report it.
    pub(crate) fn answer_by(cx: &CheckContext) -> Instant {
        Instant::now() + cx.remaining().mul_f32(0.9)
    }

    /// Takes a connection of the application's pool; of the probe pool where that one is busy.
    pub(crate) async fn take(&self, answer_by: Instant) -> Taken {
        let patience = Instant::now() + self.patience;
        let (busy, got) = match self.get(&self.pool, patience, answer_by).await {
            Got::Busy => match &self.probe {
                Some(probe) => (true, self.get(probe, answer_by, answer_by).await),
                None => (true, Got::Busy),
            },
            got => (false, got),
        };
        let lease = match got {
            Got::Lease(lease) => Ok(lease),
            Got::Busy => Err(None),
            Got::Failed(finding) => Err(Some(finding)),
        };
        Taken { lease, busy }
    }

    /// Waits for a free connection until `patience` only, for opening one until `answer_by`.
    async fn get(&self, pool: &Pool, patience: Instant, answer_by: Instant) -> Got {
        let timeouts = Timeouts {
            wait: None,
            ..pool.timeouts()
        };
        let mut get = pin!(pool.timeout_get(&timeouts));
        let mut answer = timeout_at(patience.min(answer_by), get.as_mut()).await;
        if answer.is_err() && !all_in_use(pool) {
            answer = timeout_at(answer_by, get).await;
        }
        match answer {
            Ok(Ok(client)) => Got::Lease(Lease::new(client)),
            Ok(Err(error)) => {
                let detail = self.detail(Some(&error));
                Got::Failed(Fault::of_pool(&error).finding(detail))
            }
            Err(_elapsed) if all_in_use(pool) => Got::Busy,
            Err(_elapsed) => Got::Failed(fault::CONNECT_TIMEOUT.finding(self.detail(None))),
        }
    }

    /// What operators may read: where the pool leads, and the chain of errors.
    pub(crate) fn detail(&self, error: Option<&dyn std::error::Error>) -> PrivateText {
        let target = self.target.as_ref().map(ToString::to_string);
        let chain = error.map(|error| PrivateText::from_error(error).expose().to_owned());
        let known: Vec<String> = target.into_iter().chain(chain).collect();
        PrivateText::new(known.join(": "))
    }

    pub(crate) fn unanswered(&self, unanswered: &Unanswered) -> Finding {
        let error = unanswered.error.as_ref();
        let detail = self.detail(error.map(|error| error as &dyn std::error::Error));
        unanswered.fault.finding(detail)
    }

    /// An answer that is none to the question.
    pub(crate) fn garbled(&self) -> Finding {
        fault::PROTOCOL_ERROR.finding(self.detail(None))
    }

    /// All connections in use is a matter of load or of a leak, not of the database: a warning.
    pub(crate) fn busy(&self) -> Finding {
        Finding::warn(fault::POOL_BUSY.code(), fault::POOL_BUSY.text())
            .remedy(fault::POOL_BUSY.remedy())
            .detail(self.detail(None))
    }

    /// Adds how full the application's pool is.
    pub(crate) fn observe_pool(&self, outcome: Outcome) -> Outcome {
        let status = self.pool.status();
        let out = status.size.saturating_sub(status.available);
        outcome
            .observe("pool_size", status.size, "connections")
            .observe("pool_checked_in", status.available, "connections")
            .observe("pool_checked_out", out, "connections")
            .observe("pool_waiting", status.waiting, "requests")
            .observe("pool_max", status.max_size, "connections")
    }
}

/// Whether as many connections as there may be **exist**, and somebody waits for one. A pool
/// counts a connection only once it is open: where all places are taken up by attempts to reach
/// a database that does not answer, its size stays below its maximum, and that is no load.
fn all_in_use(pool: &Pool) -> bool {
    let status = pool.status();
    status.size >= status.max_size && status.available == 0 && status.waiting > 0
}
