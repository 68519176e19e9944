//! The check.

use std::{fmt, time::Duration};

use deadpool_redis::{Connection, Pool, PoolError, TimeoutType, Timeouts};
use tokio::time::{Instant, timeout_at};
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PrivateText, PublicText};

use crate::{
    RedisOptions,
    classify::{Diagnosis, Stage},
    codes,
    endpoint::Endpoint,
    facts::Facts,
    fault::Fault,
    probe::{Probe, is_spread},
};

/// Proves a Redis through the application's pool.
///
/// - Pass: a random key was written, read back and deleted.
/// - Warn `pool_busy`: no connection of the application's pool came free in time. That is no
///   proof against Redis, and without [`RedisCheck::probe_pool`] none for it either.
/// - Fail: see [`codes`].
///
/// Observed are `round_trip_ms`, `version`, what INFO tells where it is allowed, and the pool:
/// `pool_size`, `pool_checked_in`, `pool_checked_out`, `pool_waiting`, `pool_max`.
pub struct RedisCheck {
    meta: CheckMeta,
    pool: Pool,
    probe_pool: Option<Pool>,
    key_prefix: String,
    key_expiry: Duration,
    patience: Duration,
    endpoint: Option<Endpoint>,
}

/// What one probe has seen so far.
#[derive(Default)]
struct Seen {
    findings: Vec<Finding>,
    facts: Option<Facts>,
    round_trip: Option<Duration>,
}

/// Why there is no connection to ask through.
enum NoConnection {
    Busy,
    Broken(Diagnosis),
}

// === impl RedisCheck ===

impl RedisCheck {
    /// A check named `redis` of the Redis that `pool` leads to.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("redis").codes(codes::ALL),
            pool,
            probe_pool: None,
            key_prefix: "tria:probe:".to_owned(),
            key_expiry: Duration::from_secs(10),
            patience: Duration::from_millis(250),
            endpoint: None,
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::ALL);
        self
    }

    /// Sets what the probe's keys begin with (`tria:probe:`); the user must be allowed them.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Sets after how long a key that a cut probe left behind is gone (10 s).
    pub fn key_expiry(mut self, expiry: Duration) -> Self {
        self.key_expiry = expiry;
        self
    }

    /// Sets how long the probe queues with the application's traffic for a connection before it
    /// calls the pool busy (250 ms).
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Gives a second pool to the same Redis, of one connection, that is used only while the
    /// application's pool is busy: then Redis is still proven, or told to be down.
    pub fn probe_pool(mut self, pool: Pool) -> Self {
        self.probe_pool = Some(pool);
        self
    }

    /// Says where the pool leads to, of which host, port and TLS are kept. Details that only
    /// operators read then name it, and a disagreement about TLS is recognised where one side
    /// says nothing: a server that wants plain text lets a client with TLS wait, and Redis' own
    /// TLS closes the connection of one without.
    ///
    /// For that alone a connection is opened beside the pools, without credentials, and only
    /// after connecting has failed in one of these ways.
    pub fn endpoint(mut self, options: &RedisOptions) -> Self {
        self.endpoint = Some(Endpoint::of(options));
        self
    }

    async fn probe(&self, deadline: Instant) -> Seen {
        match self.connection(&self.pool, deadline).await {
            Ok(connection) => self.ask(connection, deadline).await,
            Err(NoConnection::Broken(diagnosis)) => self.without(diagnosis, deadline).await,
            Err(NoConnection::Busy) => {
                let busy = self.busy();
                let mut seen = self.probe_beside(deadline).await;
                seen.findings.push(busy);
                seen
            }
        }
    }

    /// What the probe pool shows while the application's is busy.
    async fn probe_beside(&self, deadline: Instant) -> Seen {
        let Some(pool) = &self.probe_pool else {
            return Seen::default();
        };
        match self.connection(pool, deadline).await {
            Ok(connection) => self.ask(connection, deadline).await,
            Err(NoConnection::Broken(diagnosis)) => self.without(diagnosis, deadline).await,
            Err(NoConnection::Busy) => Seen::default(),
        }
    }

    async fn connection(&self, pool: &Pool, deadline: Instant) -> Result<Connection, NoConnection> {
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

    async fn ask(&self, mut connection: Connection, deadline: Instant) -> Seen {
        let probe = Probe::new(&self.key_prefix, self.key_expiry);
        let begun = Instant::now();
        let replies = match timeout_at(deadline, probe.ask(&mut connection)).await {
            Ok(Ok(Some(replies))) => replies,
            Ok(Ok(None)) => return Fault::NOT_REDIS.finding().into(),
            Ok(Err(error)) => {
                let diagnosis = Diagnosis::of_redis(&error, Stage::Asking);
                return self.broken(&diagnosis).into();
            }
            Err(elapsed) => {
                let diagnosis = Diagnosis::new(Fault::RESPONSE_TIMEOUT, &elapsed);
                return self.broken(&diagnosis).into();
            }
        };
        let round_trip = begun.elapsed();
        let facts = replies.facts();
        let mut findings = probe.judge(&replies, &facts);
        // One random key alone would hit another node's slot only now and then.
        if facts.is_cluster()
            && !findings.iter().any(Finding::is_failure)
            && let Ok(Some(true)) = timeout_at(deadline, is_spread(&mut connection)).await
        {
            findings.push(Fault::CLUSTER.finding());
        }
        Seen {
            findings,
            facts: Some(facts),
            round_trip: Some(round_trip),
        }
    }

    /// What is left to say without a connection.
    async fn without(&self, mut diagnosis: Diagnosis, deadline: Instant) -> Seen {
        if let Some(endpoint) = &self.endpoint {
            let look = endpoint.look_again(diagnosis.fault);
            if let Ok(Some(fault)) = timeout_at(deadline, look).await {
                diagnosis.fault = fault;
            }
        }
        self.broken(&diagnosis).into()
    }

    fn broken(&self, diagnosis: &Diagnosis) -> Finding {
        let said = diagnosis.detail.expose();
        let detail = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}: {said}"),
            None => said.to_owned(),
        };
        diagnosis.fault.finding().detail(PrivateText::new(detail))
    }

    fn busy(&self) -> Finding {
        let status = self.pool.status();
        Finding::warn(
            codes::POOL_BUSY,
            PublicText::filled(
                "all {} connections of the Redis pool are in use",
                &[status.max_size.into()],
            ),
        )
        .remedy("raise the size of the pool, or look for what holds its connections")
    }

    fn observe_pool(&self, outcome: Outcome) -> Outcome {
        let status = self.pool.status();
        let checked_out = status.size.saturating_sub(status.available);
        [
            ("pool_size", status.size),
            ("pool_checked_in", status.available),
            ("pool_checked_out", checked_out),
            ("pool_waiting", status.waiting),
            ("pool_max", status.max_size),
        ]
        .into_iter()
        .fold(outcome, |outcome, (name, value)| {
            outcome.observe(name, value, "connections")
        })
    }
}

impl Check for RedisCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        // The runner drops this future at its deadline; what is known a little earlier can still
        // be told.
        let deadline = Instant::now() + cx.remaining().mul_f64(0.9);
        let seen = self.probe(deadline).await;
        self.observe_pool(seen.into())
    }
}

// === impl Seen ===

impl From<Finding> for Seen {
    fn from(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
            ..Self::default()
        }
    }
}

impl From<Seen> for Outcome {
    fn from(seen: Seen) -> Self {
        let mut outcome = Self::new(seen.findings);
        if let Some(facts) = seen.facts {
            outcome = facts.observe(outcome);
        }
        match seen.round_trip {
            Some(took) => {
                let microseconds = (took.as_secs_f64() * 1_000_000.0).round();
                outcome.observe("round_trip_ms", microseconds / 1000.0, "ms")
            }
            None => outcome,
        }
    }
}

impl fmt::Debug for RedisCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCheck")
            .field("name", &self.meta.name())
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}
