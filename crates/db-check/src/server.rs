//! What a server says of itself, in one round trip.

use tokio_postgres::SimpleQueryRow;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerFacts {
    /// As in `15.18`, without what the packager adds.
    pub(crate) version: String,
    pub(crate) major: u32,
    pub(crate) in_recovery: bool,
    pub(crate) read_only: bool,
    pub(crate) tls: bool,
    pub(crate) database: String,
    pub(crate) connections: Connections,
}

/// How many connections there are and may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) used: i64,
    pub(crate) max: i64,
    /// Kept for superusers and, since version 16, for `pg_use_reserved_connections`.
    pub(crate) reserved: i64,
}

// === impl ServerFacts ===

impl ServerFacts {
    /// A role that may not see other sessions gets their kind as null; those with a database are
    /// counted then, which includes the few workers of autovacuum.
    pub(crate) const QUERY: &str = "
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num') AS version_number,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::bool AS read_only,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls,
       current_database() AS database,
       current_setting('max_connections') AS max,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend'
            OR (backend_type IS NULL AND datid IS NOT NULL)) AS used";

    /// Reads the answer to [`Self::QUERY`]; `None` where it is not what was asked for.
    pub(crate) fn read(rows: &[SimpleQueryRow]) -> Option<Self> {
        let row = rows.first()?;
        let text = |name: &str| row.try_get(name).ok().flatten();
        let number = |name: &str| text(name)?.parse::<i64>().ok();
        let version = text("version")?.split_whitespace().next()?;
        Some(Self {
            version: version.to_owned(),
            major: u32::try_from(number("version_number")? / 10_000).ok()?,
            in_recovery: text("in_recovery")? == "t",
            read_only: text("read_only")? == "t",
            tls: text("tls")? == "t",
            database: text("database")?.to_owned(),
            connections: Connections {
                used: number("used")?,
                max: number("max")?,
                reserved: number("reserved")?,
            },
        })
    }
}

// === impl Connections ===

impl Connections {
    /// Those that an ordinary role can have.
    pub(crate) fn usable(self) -> i64 {
        (self.max - self.reserved).max(0)
    }

    pub(crate) fn free(self) -> i64 {
        (self.usable() - self.used).max(0)
    }

    /// Whether less than a tenth is free, or less than a pool still wants to open.
    pub(crate) fn are_low(self, wanted: i64) -> bool {
        self.free() * 10 < self.usable() || self.free() < wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_connections_are_nobodys() {
        let connections = Connections {
            used: 90,
            max: 100,
            reserved: 3,
        };
        assert_eq!((connections.usable(), connections.free()), (97, 7));
        assert!(connections.are_low(0));
    }

    #[test]
    fn low_is_a_tenth_or_less_than_the_pool_wants() {
        let with = |used| Connections {
            used,
            max: 103,
            reserved: 3,
        };
        assert!(!with(90).are_low(10), "10 of 100 are free, and 10 wanted");
        assert!(with(90).are_low(11));
        assert!(with(91).are_low(0));
        assert!(with(500).are_low(0), "more than there should be");
    }
}
