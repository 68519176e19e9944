//! Tells what a database is busy with.

use std::time::Duration;

use deadpool_postgres::Pool;
use tria_check::{
    Check, CheckContext, CheckMeta, Code, Cost, Criticality, Finding, Group, Outcome, PrivateText,
    PublicText, PublicValue,
};

use crate::{
    CODES, Target,
    activity::{Activity, Transaction, Wait},
    source::{Source, Taken},
};

pub(crate) const TRANSACTION_OLD: Code = Code::new("transaction_old");
pub(crate) const LOCK_WAITING: Code = Code::new("lock_waiting");

/// How large the database is. To know that, the server looks at each of its files.
const SIZE_QUERY: &str = "SELECT pg_database_size(current_database()) AS size";

/// Tells operators what a database is busy with, in one round trip: how large it is, which
/// transaction has been open for the longest, who waits for a lock, and what the server counts.
///
/// - Pass: with the size, where the server told it in time.
/// - Warn `transaction_old`: a transaction, idle or at work, is older than
///   [5 minutes](Self::transaction_limit). It keeps its locks, and dead rows from being removed.
/// - Warn `lock_waiting`: a session has waited for a lock for more than
///   [a minute](Self::lock_limit). The detail says who waits for whom.
/// - Fail: as [`crate::DatabaseCheck`], where the database does not answer at all.
///
/// An ordinary role is enough; what it may not see is left out, and `sessions_hidden` says of how
/// many other sessions it does not see what they do.
///
/// Observed: `database_size_bytes`, `connections_used`, `connections_max`, `sessions_hidden`,
/// `idle_in_transaction`, `oldest_transaction_seconds`, `oldest_idle_in_transaction_seconds`,
/// `lock_waiters`, `longest_lock_wait_seconds`, `deadlocks` and `cache_hit_ratio` (0 to 1) since
/// the server's statistics were reset, `standby`, and of a standby `replication_lag_seconds`.
pub struct StatisticsCheck {
    meta: CheckMeta,
    source: Source,
    transaction_limit: Duration,
    lock_limit: Duration,
}

// === impl StatisticsCheck ===

impl StatisticsCheck {
    /// An optional check named `database.statistics` for diagnostics only, over the application's
    /// own pool, that runs at most once a minute.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("database.statistics")
                .groups([Group::Diagnostics])
                .criticality(Criticality::Optional)
                .cost(Cost::Metered)
                .period(Cost::Metered.min_period())
                .codes(CODES),
            source: Source::new(pool),
            transaction_limit: Duration::from_secs(300),
            lock_limit: Duration::from_secs(60),
        }
    }

    /// Changes name, groups, timeout, period and so on.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta);
        self
    }

    /// Lends it a pool that nothing else uses; see [`crate::DatabaseCheck::probe_pool`].
    pub fn probe_pool(mut self, pool: Pool) -> Self {
        self.source.probe = Some(pool);
        self
    }

    /// Tells it where the pool leads, for the private detail of failures.
    pub fn target(mut self, target: Target) -> Self {
        self.source.target = Some(target);
        self
    }

    /// Sets how old a transaction may become before it is warned about (5 min), in whole seconds.
    pub fn transaction_limit(mut self, limit: Duration) -> Self {
        self.transaction_limit = limit;
        self
    }

    /// Sets how long a session may wait for a lock before it is warned about (1 min), in whole
    /// seconds.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.lock_limit = limit;
        self
    }

    fn judge(&self, activity: &Activity) -> Vec<Finding> {
        let old = activity.oldest.as_ref();
        let old = old.filter(|oldest| is_over(oldest.seconds, self.transaction_limit));
        let waiting = activity.longest_wait.as_ref();
        let waiting = waiting.filter(|longest| is_over(longest.seconds, self.lock_limit));
        let old = old.map(|oldest| self.transaction_old(oldest));
        old.into_iter()
            .chain(waiting.map(|longest| self.lock_waiting(longest)))
            .collect()
    }

    fn transaction_old(&self, oldest: &Transaction) -> Finding {
        let text = if oldest.idle {
            "a session has been idle in a transaction of {} s"
        } else {
            "a transaction has been at work for {} s"
        };
        Finding::warn(
            TRANSACTION_OLD,
            PublicText::filled(text, &[oldest.seconds.into()]),
        )
        .remedy(
            "see the detail for the session; end it with pg_terminate_backend if nobody needs it",
        )
        .detail(self.detail(&oldest.who))
    }

    fn lock_waiting(&self, longest: &Wait) -> Finding {
        let text = "a session has waited for a lock for {} s";
        let text = PublicText::filled(text, &[longest.seconds.into()]);
        let who = format!("{} waits for pid {}", longest.who, longest.blockers);
        Finding::warn(LOCK_WAITING, text)
            .remedy(
                "see the detail for the session that holds the lock; end it with \
                 pg_terminate_backend if it hangs",
            )
            .detail(self.detail(&who))
    }

    fn detail(&self, who: &str) -> PrivateText {
        let target = self.source.detail(None);
        PrivateText::new(format!("{who} ({})", target.expose()))
    }
}

impl Check for StatisticsCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let answer_by = Source::answer_by(cx);
        let Taken { lease, busy } = self.source.take(answer_by).await;
        let busy = busy.then(|| self.source.busy());
        let mut lease = match lease {
            Ok(lease) => lease,
            Err(failed) => return Outcome::new(failed.into_iter().chain(busy)),
        };
        // The size comes last, since it is what may take too long.
        let questions = [Activity::QUERY, SIZE_QUERY];
        let answers = lease.ask_each(&questions, answer_by).await;
        drop(lease);

        let activity = match (answers.rows.first(), &answers.stopped) {
            (None, Some(unanswered)) => Err(self.source.unanswered(unanswered)),
            (row, _) => row
                .and_then(Activity::read)
                .ok_or_else(|| self.source.garbled()),
        };
        let activity = match activity {
            Ok(activity) => activity,
            Err(failed) => return Outcome::new(std::iter::once(failed).chain(busy)),
        };
        let size = answers.rows.get(1).and_then(|row| row.get("size"));
        let size: Option<i64> = size.and_then(|size| size.parse().ok());
        let findings = std::iter::once(told(size))
            .chain(self.judge(&activity))
            .chain(busy);
        observe(Outcome::new(findings), &activity, size)
    }
}

fn is_over(seconds: i64, limit: Duration) -> bool {
    u64::try_from(seconds).is_ok_and(|seconds| seconds > limit.as_secs())
}

fn told(size: Option<i64>) -> Finding {
    Finding::pass(match size {
        Some(bytes) => PublicText::filled("The database has {} MiB", &[(bytes >> 20).into()]),
        None => PublicText::new("The database told its statistics, but not its size in time"),
    })
}

/// What is not known is left out.
fn observe(outcome: Outcome, activity: &Activity, size: Option<i64>) -> Outcome {
    let oldest = activity.oldest.as_ref().map(|oldest| oldest.seconds);
    let longest = activity
        .longest_wait
        .as_ref()
        .map(|longest| longest.seconds);
    let whole = |number: Option<i64>| number.map(PublicValue::from);
    [
        ("database_size_bytes", whole(size), "bytes"),
        (
            "connections_used",
            whole(Some(activity.connections_used)),
            "connections",
        ),
        (
            "connections_max",
            whole(Some(activity.connections_max)),
            "connections",
        ),
        ("sessions_hidden", whole(Some(activity.hidden)), "sessions"),
        (
            "idle_in_transaction",
            whole(Some(activity.idle_in_transaction)),
            "sessions",
        ),
        ("oldest_transaction_seconds", whole(oldest), "s"),
        (
            "oldest_idle_in_transaction_seconds",
            whole(activity.oldest_idle_seconds),
            "s",
        ),
        ("lock_waiters", whole(Some(activity.waiting)), "sessions"),
        ("longest_lock_wait_seconds", whole(longest), "s"),
        ("deadlocks", whole(activity.deadlocks), ""),
        (
            "cache_hit_ratio",
            activity.cache_hit_ratio().map(PublicValue::from),
            "",
        ),
        ("standby", Some(activity.standby.into()), ""),
        (
            "replication_lag_seconds",
            activity.replication_lag_seconds.map(PublicValue::from),
            "s",
        ),
    ]
    .into_iter()
    .fold(outcome, |outcome, (name, value, unit)| match value {
        Some(value) => outcome.observe(name, value, unit),
        None => outcome,
    })
}
