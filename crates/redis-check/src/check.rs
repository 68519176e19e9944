//! The check.

use std::{fmt, time::Duration};

use deadpool_redis::{Connection, Pool};
use tokio::time::{Instant, timeout_at};
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome};

use crate::{
    RedisOptions,
    classify::{Diagnosis, Stage},
    codes,
    endpoint::Endpoint,
    facts::Facts,
    fault::Fault,
    probe::{Probe, is_spread},
    way::{NoConnection, Way, busy},
};

/// How long a run may take: a Redis that is silent for so long is none.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// Proves a Redis through the application's pool.
///
/// - Pass: a random key was written, read back and deleted.
/// - Warn `pool_busy`: no connection of the application's pool came free in time. That is no
///   proof against Redis, and without [`RedisCheck::probe_pool`] none for it either.
/// - Warn `eviction_policy`, `evicting`, `memory_high`, `save_failed`, where INFO is allowed.
/// - Fail: see [`codes`].
///
/// Observed are `round_trip_ms`, `version` and `server`; of INFO, where it is allowed and as far as
/// the server tells it, `used_memory_bytes`, `maxmemory_bytes`, `maxmemory_policy`,
/// `connected_clients`, `maxclients`, `blocked_clients`, `evicted_keys` and `rejected_connections`
/// (both since the server started), `rdb_last_save_ok`, `aof_enabled`, `aof_last_write_ok`, `role`
/// (`master` or `replica`), `connected_replicas` and `master_link_up`; and the pool: `pool_size`,
/// `pool_checked_in`, `pool_checked_out`, `pool_waiting`, `pool_max`.
pub struct RedisCheck {
    meta: CheckMeta,
    pool: Pool,
    probe_pool: Option<Pool>,
    key_prefix: String,
    key_expiry: Duration,
    way: Way,
}

/// What one probe has seen so far.
#[derive(Default)]
struct Seen {
    findings: Vec<Finding>,
    facts: Option<Facts>,
    round_trip: Option<Duration>,
}

// === impl RedisCheck ===

impl RedisCheck {
    /// A critical check named `redis` of the Redis that `pool` leads to, with a timeout of 3 s.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("redis").timeout(TIMEOUT).codes(codes::ALL),
            pool,
            probe_pool: None,
            key_prefix: "tria:probe:".to_owned(),
            key_expiry: Duration::from_secs(10),
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
        self.way.patience = patience;
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
        self.way.endpoint = Some(Endpoint::of(options));
        self
    }

    async fn probe(&self, deadline: Instant) -> Seen {
        match self.way.connect(&self.pool, deadline).await {
            Ok(connection) => self.ask(connection, deadline).await,
            Err(NoConnection::Broken(diagnosis)) => {
                self.way.without(diagnosis, deadline).await.into()
            }
            Err(NoConnection::Busy) => {
                let busy = busy(&self.pool);
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
        match self.way.connect(pool, deadline).await {
            Ok(connection) => self.ask(connection, deadline).await,
            Err(NoConnection::Broken(diagnosis)) => {
                self.way.without(diagnosis, deadline).await.into()
            }
            Err(NoConnection::Busy) => Seen::default(),
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
                return self.way.broken(&diagnosis).into();
            }
            Err(elapsed) => {
                let diagnosis = Diagnosis::new(Fault::RESPONSE_TIMEOUT, &elapsed);
                return self.way.broken(&diagnosis).into();
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
        let seen = self.probe(Way::answer_by(cx)).await;
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
