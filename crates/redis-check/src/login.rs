//! Proves that a new login still works.

use std::{fmt, time::Duration};

use deadpool_redis::{Connection, Pool, redis::cmd};
use tokio::time::{Instant, timeout_at};
use tria_check::{Check, CheckContext, CheckMeta, Cost, Criticality, Finding, Group, Outcome};

use crate::{
    RedisOptions,
    check::TIMEOUT,
    classify::{Diagnosis, Stage},
    codes,
    endpoint::Endpoint,
    fault::Fault,
    way::{NoConnection, Way, busy},
};

/// Proves with a connection of its own that a login still works: a pooled connection stays
/// logged in when the password is changed, so that the change is only noticed at the next
/// restart (n8n-io/n8n#15480).
///
/// It needs a pool of its own, of size 1, and keeps no connection open between two runs. It is
/// optional: as long as the connections last that are there, Redis is as good as ever, and when
/// they end, [`crate::RedisCheck`] fails. Nor does it run more than once a minute, also while it
/// fails, so that the server's log of refused logins (`ACL LOG`) stays readable.
pub struct LoginCheck {
    meta: CheckMeta,
    pool: Pool,
    way: Way,
}

// === impl LoginCheck ===

impl LoginCheck {
    /// An optional check named `redis.login` of readiness and diagnostics, over a pool that
    /// nothing else uses.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("redis.login")
                .groups([Group::Readiness, Group::Diagnostics])
                .criticality(Criticality::Optional)
                .timeout(TIMEOUT)
                .cost(Cost::Metered)
                .period(Cost::Metered.min_period())
                .codes(codes::ALL),
            pool,
            way: Way {
                patience: Duration::from_millis(250),
                endpoint: None,
            },
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::ALL);
        self
    }

    /// Says where the pool leads to; see [`crate::RedisCheck::endpoint`].
    pub fn endpoint(mut self, options: &RedisOptions) -> Self {
        self.way.endpoint = Some(Endpoint::of(options));
        self
    }

    /// The login itself is made by the pool, which opens a connection.
    async fn prove(&self, deadline: Instant) -> Finding {
        self.pool.retain(|_, _| false);
        let connection = match self.way.connect(&self.pool, deadline).await {
            Ok(connection) => connection,
            Err(NoConnection::Busy) => return busy(&self.pool),
            Err(NoConnection::Broken(diagnosis)) => {
                return self.way.without(diagnosis, deadline).await;
            }
        };
        // Out of the pool, so that it is closed however this ends.
        let mut connection = Connection::take(connection);
        let ping = cmd("PING");
        match timeout_at(deadline, ping.exec_async(&mut connection)).await {
            Ok(Ok(())) => Finding::pass("A new login to Redis works"),
            Ok(Err(error)) => self.way.broken(&Diagnosis::of_redis(&error, Stage::Asking)),
            Err(elapsed) => {
                let diagnosis = Diagnosis::new(Fault::RESPONSE_TIMEOUT, &elapsed);
                self.way.broken(&diagnosis)
            }
        }
    }
}

impl Check for LoginCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        self.prove(Way::answer_by(cx)).await.into()
    }
}

impl fmt::Debug for LoginCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginCheck")
            .field("name", &self.meta.name())
            .finish_non_exhaustive()
    }
}
