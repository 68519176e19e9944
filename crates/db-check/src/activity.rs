//! What a server counts, and what its sessions are at, in one round trip.

use tokio_postgres::SimpleQueryRow;

/// What a server counts, and what the sessions in the database are at. A role sees what its own
/// sessions are at, those of others only with `pg_read_all_stats` (`pg_monitor`); locks and
/// counters are open to everyone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Activity {
    pub(crate) connections_used: i64,
    pub(crate) connections_max: i64,
    /// Sessions in this database, its own not counted, of which nothing more may be seen.
    pub(crate) hidden: i64,
    pub(crate) idle_in_transaction: i64,
    pub(crate) oldest_idle_seconds: Option<i64>,
    pub(crate) oldest: Option<Transaction>,
    pub(crate) waiting: i64,
    pub(crate) longest_wait: Option<Wait>,
    pub(crate) deadlocks: Option<i64>,
    pub(crate) blocks_hit: Option<i64>,
    pub(crate) blocks_read: Option<i64>,
    pub(crate) standby: bool,
    /// Known of a standby that has replayed something.
    pub(crate) replication_lag_seconds: Option<f64>,
}

/// A session inside a transaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transaction {
    pub(crate) seconds: i64,
    pub(crate) idle: bool,
    pub(crate) who: String,
}

/// A session that waits for a lock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wait {
    pub(crate) seconds: i64,
    pub(crate) who: String,
    /// The process numbers of those that it waits for.
    pub(crate) blockers: String,
}

// === impl Activity ===

impl Activity {
    /// Only the one that waits longest is asked who blocks it, since to tell that holds up the
    /// server's table of locks. `waitstart` is there since version 14; before, the start of the
    /// statement stands for it.
    pub(crate) const QUERY: &str = "
WITH sessions AS MATERIALIZED (
    SELECT pid, usename, application_name, state, xact_start, state_change,
           backend_type IS NULL AS hidden, state LIKE 'idle in transaction%' AS idle
      FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND (backend_type = 'client backend' OR backend_type IS NULL)
), oldest AS (
    SELECT * FROM sessions WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 1
), waits AS MATERIALIZED (
    SELECT sessions.pid, usename, application_name,
           coalesce((to_jsonb(locks) ->> 'waitstart')::timestamptz, state_change) AS since
      FROM pg_locks AS locks JOIN sessions USING (pid)
     WHERE NOT granted
), longest AS (
    SELECT * FROM waits WHERE since IS NOT NULL ORDER BY since LIMIT 1
)
SELECT (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend'
            OR (backend_type IS NULL AND datid IS NOT NULL)) AS connections_used,
       current_setting('max_connections') AS connections_max,
       (SELECT count(*) FROM sessions WHERE hidden) AS hidden,
       (SELECT count(*) FROM sessions WHERE idle) AS idle,
       (SELECT extract(epoch FROM now() - min(xact_start))::bigint
          FROM sessions WHERE idle) AS oldest_idle,
       extract(epoch FROM now() - oldest.xact_start)::bigint AS oldest_seconds,
       oldest.idle AS oldest_is_idle,
       concat_ws(', ', 'pid ' || oldest.pid, 'user ' || oldest.usename, oldest.state,
                 nullif(oldest.application_name, '')) AS oldest_who,
       (SELECT count(*) FROM waits) AS waiting,
       extract(epoch FROM now() - longest.since)::bigint AS longest_seconds,
       concat_ws(', ', 'pid ' || longest.pid, 'user ' || longest.usename,
                 nullif(longest.application_name, '')) AS longest_who,
       array_to_string(pg_blocking_pids(longest.pid), ', ') AS blockers,
       counted.deadlocks, counted.blks_hit, counted.blks_read,
       pg_is_in_recovery() AS standby,
       CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp())
        END AS lag
  FROM (SELECT) AS one
  LEFT JOIN oldest ON true
  LEFT JOIN longest ON true
  LEFT JOIN pg_stat_database AS counted ON counted.datname = current_database()";

    /// Reads the answer to [`Self::QUERY`]; `None` where it is not what was asked for.
    pub(crate) fn read(row: &SimpleQueryRow) -> Option<Self> {
        let text = |name: &str| row.try_get(name).ok().flatten();
        let number = |name: &str| text(name)?.parse::<i64>().ok();
        // A clock that was set back makes no age negative.
        let age = |name: &str| number(name).map(|seconds| seconds.max(0));
        let oldest = age("oldest_seconds").map(|seconds| Transaction {
            seconds,
            idle: text("oldest_is_idle") == Some("t"),
            who: text("oldest_who").unwrap_or_default().to_owned(),
        });
        let longest_wait = age("longest_seconds").map(|seconds| Wait {
            seconds,
            who: text("longest_who").unwrap_or_default().to_owned(),
            blockers: text("blockers").unwrap_or_default().to_owned(),
        });
        Some(Self {
            connections_used: number("connections_used")?,
            connections_max: number("connections_max")?,
            hidden: number("hidden")?,
            idle_in_transaction: number("idle")?,
            oldest_idle_seconds: age("oldest_idle"),
            oldest,
            waiting: number("waiting")?,
            longest_wait,
            deadlocks: number("deadlocks"),
            blocks_hit: number("blks_hit"),
            blocks_read: number("blks_read"),
            standby: text("standby")? == "t",
            replication_lag_seconds: text("lag").and_then(|lag| lag.parse().ok()),
        })
    }

    /// The part of the blocks asked for that were in memory; `None` before any was.
    pub(crate) fn cache_hit_ratio(&self) -> Option<f64> {
        let (hit, read) = (self.blocks_hit?, self.blocks_read?);
        let asked = hit.saturating_add(read);
        if asked <= 0 {
            return None;
        }
        // Four digits tell 99.99 % from all.
        let in_ten_thousand = i128::from(hit) * 10_000 / i128::from(asked);
        i32::try_from(in_ten_thousand)
            .ok()
            .map(|part| f64::from(part) / 10_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_ratio_is_of_what_was_asked_for() {
        let of = |blocks_hit, blocks_read| {
            let activity = Activity {
                blocks_hit,
                blocks_read,
                ..Activity::default()
            };
            activity.cache_hit_ratio()
        };
        assert_eq!(of(Some(999), Some(1)), Some(0.999));
        assert_eq!(of(Some(i64::MAX), Some(0)), Some(1.0));
        assert_eq!(of(Some(0), Some(3)), Some(0.0));
        assert_eq!(of(Some(0), Some(0)), None, "nothing was asked for");
        assert_eq!(of(None, Some(3)), None);
    }
}
