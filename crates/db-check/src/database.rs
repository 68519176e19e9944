//! Proves that the database answers and can be worked with.

use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use tria_check::{
    Check, CheckContext, CheckMeta, Code, Finding, Outcome, PrivateText, PublicText, PublicValue,
};

use crate::{
    CODES, Target, fault,
    server::ServerFacts,
    source::{Source, Taken},
};

pub(crate) const VERSION_UNSUPPORTED: Code = Code::new("version_unsupported");
pub(crate) const IN_RECOVERY: Code = Code::new("in_recovery");
pub(crate) const CONNECTIONS_LOW: Code = Code::new("connections_low");

/// How long a run may take: a database that is silent for so long is none.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// Proves with a real query that the database behind a pool answers, is new enough, takes writes
/// and has connections left.
///
/// Where all connections of the pool are in use it says so (Warn, `pool_busy`) after a short
/// wait, and does not queue behind the traffic. With a [probe pool](Self::probe_pool) it then
/// proves the database all the same, and reports both; without one the database is not asked.
///
/// Observed: `response_time_ms` (the query alone), `acquire_ms`, `server_version`, `tls`,
/// `connections_used`, `connections_max`, `connections_reserved`, and of the pool `pool_size`,
/// `pool_checked_in`, `pool_checked_out`, `pool_waiting`, `pool_max`.
pub struct DatabaseCheck {
    meta: CheckMeta,
    source: Source,
    min_major: u32,
}

// === impl DatabaseCheck ===

impl DatabaseCheck {
    /// A critical check named `database` over the application's own pool, for PostgreSQL 13 or
    /// newer, with a timeout of 3 s.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("database").timeout(TIMEOUT).codes(CODES),
            source: Source::new(pool),
            min_major: 13,
        }
    }

    /// Changes name, groups, timeout, period and so on.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta);
        self
    }

    /// Lends it a pool that nothing else uses, of size 1, for when the application's is busy.
    pub fn probe_pool(mut self, pool: Pool) -> Self {
        self.source.probe = Some(pool);
        self
    }

    /// Tells it where the pool leads, for the private detail of failures.
    pub fn target(mut self, target: Target) -> Self {
        self.source.target = Some(target);
        self
    }

    /// Sets how long it waits for a free connection before it calls the pool busy (500 ms).
    pub fn patience(mut self, patience: Duration) -> Self {
        self.source.patience = patience;
        self
    }

    /// Sets the oldest major version that serves (13).
    pub fn min_version(mut self, major: u32) -> Self {
        self.min_major = major;
        self
    }

    async fn prove(&self, cx: &CheckContext) -> Outcome {
        let answer_by = Source::answer_by(cx);
        let begun = Instant::now();
        let Taken { lease, busy } = self.source.take(answer_by).await;
        let acquired = begun.elapsed();
        let busy = busy.then(|| self.source.busy());

        let mut lease = match lease {
            Ok(lease) => lease,
            Err(failed) => return Outcome::new(failed.into_iter().chain(busy)),
        };
        let asked = Instant::now();
        let answer = lease.ask(ServerFacts::QUERY, answer_by).await;
        let answered = asked.elapsed();
        // The findings are about a pool without this check's own connection.
        drop(lease);

        let facts = match answer.as_deref().map(ServerFacts::read) {
            Ok(Some(facts)) => facts,
            Ok(None) => return Outcome::new(std::iter::once(self.source.garbled()).chain(busy)),
            Err(unanswered) => {
                let failed = self.source.unanswered(unanswered);
                return Outcome::new(std::iter::once(failed).chain(busy));
            }
        };
        let outcome = Outcome::new(self.judge(&facts).into_iter().chain(busy));
        observe(outcome, &facts)
            .observe("response_time_ms", millis(answered), "ms")
            .observe("acquire_ms", millis(acquired), "ms")
    }

    fn judge(&self, facts: &ServerFacts) -> Vec<Finding> {
        let version = PublicValue::word(&facts.version);
        let detail = || {
            let target = self.source.detail(None);
            PrivateText::new(format!("{} ({})", facts.database, target.expose()))
        };
        let mut findings = vec![
            Finding::pass(PublicText::filled(
                "Connected to PostgreSQL {}",
                std::slice::from_ref(&version),
            ))
            .detail(detail()),
        ];
        if facts.major < self.min_major {
            let text = PublicText::filled(
                "PostgreSQL {} is too old: {} or newer is needed",
                &[version, self.min_major.into()],
            );
            findings.push(
                Finding::fail(VERSION_UNSUPPORTED, text)
                    .remedy("upgrade the server, or connect to a newer one")
                    .detail(detail()),
            );
        }
        if facts.in_recovery {
            findings.push(
                // A failover ends it without anybody's doing on this side.
                Finding::fail(
                    IN_RECOVERY,
                    "the database is a standby that takes no writes",
                )
                .remedy("connect to the primary, or promote this server")
                .transient(None)
                .detail(detail()),
            );
        } else if facts.read_only {
            findings.push(fault::READ_ONLY.finding(detail()));
        }
        let status = self.source.pool.status();
        let wanted = status.max_size.saturating_sub(status.size);
        if facts
            .connections
            .are_low(i64::try_from(wanted).unwrap_or(i64::MAX))
        {
            let (used, usable) = (facts.connections.used, facts.connections.usable());
            let text = PublicText::filled(
                "{} of the server's {} connections are in use",
                &[used.into(), usable.into()],
            );
            findings.push(
                Finding::warn(CONNECTIONS_LOW, text)
                    .remedy(
                        "raise max_connections, or lower the pool sizes of the server's clients",
                    )
                    .detail(detail()),
            );
        }
        findings
    }
}

impl Check for DatabaseCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let outcome = self.prove(cx).await;
        self.source.observe_pool(outcome)
    }
}

fn observe(outcome: Outcome, facts: &ServerFacts) -> Outcome {
    let connections = facts.connections;
    outcome
        .observe("server_version", PublicValue::word(&facts.version), "")
        .observe("tls", facts.tls, "")
        .observe("connections_used", connections.used, "connections")
        .observe("connections_max", connections.max, "connections")
        .observe("connections_reserved", connections.reserved, "connections")
}

/// Milliseconds with three decimals.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
