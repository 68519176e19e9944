//! The way to a server: a connection of a pool, or why there is none.

use std::time::Duration;

use deadpool_redis::{Connection, Pool, PoolError, TimeoutType, Timeouts};
use tokio::time::{Instant, timeout_at};
use tria_check::{CheckContext, Finding, PrivateText, PublicText};

use crate::{classify::Diagnosis, codes, endpoint::Endpoint, fault::Fault};

/// How a check comes to a connection, and what it says where it does not.
pub(crate) struct Way {
    /// How long to queue with others for a connection.
    pub(crate) patience: Duration,
    pub(crate) endpoint: Option<Endpoint>,
}

/// Why there is no connection to ask through.
pub(crate) enum NoConnection {
    Busy,
    Broken(Diagnosis),
}

// === impl Way ===

impl Way {
    /// Until when a check that is told `cx` must have its answer, to be able to report it.
    pub(crate) fn answer_by(cx: &CheckContext) -> Instant {
        Instant::now() + cx.remaining().mul_f64(0.9)
    }

    pub(crate) async fn connect(
        &self,
        pool: &Pool,
        deadline: Instant,
    ) -> Result<Connection, NoConnection> {
        let waiting = |wait| Timeouts {
            wait: Some(wait),
            ..pool.timeouts()
        };
        let get = async {
            match pool.timeout_get(&waiting(self.patience)).await {
                // A pool that was built without a runtime cannot wait for a limited time.
                Err(PoolError::NoRuntimeSpecified) => {
                    pool.timeout_get(&Timeouts::wait_millis(0)).await
                }
                answer => answer,
            }
        };
        match timeout_at(deadline, get).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(PoolError::Timeout(TimeoutType::Wait))) => Err(NoConnection::Busy),
            Ok(Err(error)) => Err(NoConnection::Broken(Diagnosis::of_pool(&error))),
            Err(elapsed) => {
                let diagnosis = Diagnosis::new(Fault::CONNECT_TIMEOUT, &elapsed);
                Err(NoConnection::Broken(diagnosis))
            }
        }
    }

    /// What is left to say without a connection.
    pub(crate) async fn without(&self, mut diagnosis: Diagnosis, deadline: Instant) -> Finding {
        if let Some(endpoint) = &self.endpoint {
            let look = endpoint.look_again(diagnosis.fault);
            if let Ok(Some(fault)) = timeout_at(deadline, look).await {
                diagnosis.fault = fault;
            }
        }
        self.broken(&diagnosis)
    }

    pub(crate) fn broken(&self, diagnosis: &Diagnosis) -> Finding {
        let said = diagnosis.detail.expose();
        let detail = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}: {said}"),
            None => said.to_owned(),
        };
        diagnosis.fault.finding().detail(PrivateText::new(detail))
    }
}

/// All connections in use is a matter of load or of a leak, not of Redis: a warning.
pub(crate) fn busy(pool: &Pool) -> Finding {
    let text = PublicText::filled(
        "all {} connections of the Redis pool are in use",
        &[pool.status().max_size.into()],
    );
    Finding::warn(codes::POOL_BUSY, text)
        .remedy("raise the size of the pool, or look for what holds its connections")
}
