//! What makes a probe fail, and what each fault means to people.

use tria_check::{Code, Finding};

use crate::codes;

/// What makes a probe fail: what it is called, what it means, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    code: Code,
    stays: Stays,
    text: &'static str,
    remedy: &'static str,
}

/// Whether waiting can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stays {
    /// Until somebody changes something.
    ForGood,
    /// Perhaps not: a restart, a fail-over or a quieter hour may end it.
    ForNow,
}

use Stays::{ForGood, ForNow};

// === impl Fault ===

impl Fault {
    pub(crate) const AUTH_REQUIRED: Self = Self::new(
        codes::AUTH_REQUIRED,
        ForGood,
        "Redis wants a password and was given none",
        "configure the password, or the user and the password, of this Redis",
    );
    pub(crate) const AUTH_FAILED: Self = Self::new(
        codes::AUTH_FAILED,
        ForGood,
        "Redis refused the user or the password",
        "compare the configured user and password with requirepass or the ACL of the \
        server; the user may also be disabled there",
    );
    pub(crate) const COMMAND_DENIED: Self = Self::new(
        codes::PERMISSION_DENIED,
        ForGood,
        "the Redis user may not run a command that is needed",
        "grant the user the named commands (ACL SETUSER)",
    );
    pub(crate) const KEY_DENIED: Self = Self::new(
        codes::PERMISSION_DENIED,
        ForGood,
        "the Redis user may not touch the keys of the probe",
        "grant the user the keys that the application uses, those of the probe among \
        them (ACL SETUSER), or give the check a key prefix that the user may use",
    );
    pub(crate) const PROTECTED_MODE: Self = Self::new(
        codes::PROTECTED_MODE,
        ForGood,
        "Redis refuses clients from other hosts (protected mode)",
        "set a password on the server, and bind it to an address that only the \
        application can reach",
    );
    pub(crate) const COMMAND_UNAVAILABLE: Self = Self::new(
        codes::COMMAND_UNAVAILABLE,
        ForGood,
        "this server does not know a command that is needed",
        "see whether the command was renamed (rename-command), or whether a proxy in \
        between does not pass it on",
    );
    pub(crate) const DB_OUT_OF_RANGE: Self = Self::new(
        codes::DB_OUT_OF_RANGE,
        ForGood,
        "this Redis has no database of that number",
        "configure a smaller database number, or raise databases on the server",
    );
    pub(crate) const LOADING: Self = Self::new(
        codes::LOADING,
        ForNow,
        "Redis is loading its data set",
        "wait; with a large data set this takes minutes after a restart",
    );
    pub(crate) const READ_ONLY: Self = Self::new(
        codes::READ_ONLY,
        ForNow,
        "this Redis is a read-only replica",
        "configure the address of the master; during a fail-over, wait",
    );
    pub(crate) const MASTER_DOWN: Self = Self::new(
        codes::MASTER_DOWN,
        ForNow,
        "this Redis is a replica that has lost its master",
        "see why the replica cannot reach its master, and configure the master's address",
    );
    pub(crate) const NO_REPLICAS: Self = Self::new(
        codes::NO_REPLICAS,
        ForNow,
        "Redis refuses writes because too few replicas follow",
        "bring the replicas back, or lower min-replicas-to-write",
    );
    pub(crate) const PERSISTENCE_FAILING: Self = Self::new(
        codes::PERSISTENCE_FAILING,
        ForNow,
        "Redis refuses writes because it cannot save to disk",
        "see the server's log; mostly its disk is full or its folder not writable",
    );
    pub(crate) const OUT_OF_MEMORY: Self = Self::new(
        codes::OUT_OF_MEMORY,
        ForNow,
        "Redis refuses writes because its memory is used up",
        "raise maxmemory, or find what fills it (MEMORY STATS, --bigkeys)",
    );
    pub(crate) const BUSY: Self = Self::new(
        codes::BUSY,
        ForNow,
        "Redis is busy running a script",
        "wait, or end the script (SCRIPT KILL, FUNCTION KILL)",
    );
    pub(crate) const MAX_CLIENTS: Self = Self::new(
        codes::MAX_CLIENTS,
        ForNow,
        "Redis has as many clients as it allows",
        "raise maxclients, or make the pools of its clients smaller",
    );
    pub(crate) const CLUSTER_DOWN: Self = Self::new(
        codes::CLUSTER_DOWN,
        ForNow,
        "the Redis cluster is down",
        "see CLUSTER INFO; mostly a part of the slots has no master",
    );
    pub(crate) const CLUSTER: Self = Self::new(
        codes::CLUSTER,
        ForGood,
        "this Redis is one node of a cluster, and most keys live on others",
        "use a Redis that is not clustered, or an endpoint that hides the cluster",
    );
    pub(crate) const SENTINEL: Self = Self::new(
        codes::SENTINEL,
        ForGood,
        "this is a Redis Sentinel, which holds no keys",
        "configure the address of the master that the Sentinel watches",
    );
    pub(crate) const CONNECT_REFUSED: Self = Self::new(
        codes::CONNECT_REFUSED,
        ForNow,
        "nobody listens at the address of Redis",
        "start Redis, or correct the configured host and port",
    );
    pub(crate) const CONNECT_FAILED: Self = Self::new(
        codes::CONNECT_FAILED,
        ForNow,
        "the address of Redis cannot be reached",
        "see the detail of this finding, and routes and firewalls on the way",
    );
    pub(crate) const CONNECT_TIMEOUT: Self = Self::new(
        codes::CONNECT_TIMEOUT,
        ForNow,
        "no connection to Redis came about in time",
        "see whether the server hangs, whether a firewall drops packets on the way, and whether \
         both sides agree on TLS",
    );
    pub(crate) const RESPONSE_TIMEOUT: Self = Self::new(
        codes::RESPONSE_TIMEOUT,
        ForNow,
        "Redis did not answer in time",
        "see whether the server is overloaded or runs slow commands (SLOWLOG GET)",
    );
    pub(crate) const CONNECTION_CLOSED: Self = Self::new(
        codes::CONNECTION_CLOSED,
        ForNow,
        "the connection to Redis was closed in the middle",
        "see whether the server restarts, and whether both sides agree on TLS",
    );
    pub(crate) const DNS_FAILED: Self = Self::new(
        codes::DNS_FAILED,
        ForNow,
        "the host of Redis has no address",
        "correct the configured host, or see whether name resolution works here",
    );
    pub(crate) const TLS_CERTIFICATE: Self = Self::new(
        codes::TLS_FAILED,
        ForGood,
        "the certificate of Redis was refused",
        "configure the authority that signed it, and the host name that it names; see \
        whether it has expired",
    );
    pub(crate) const TLS_NOT_SPOKEN: Self = Self::new(
        codes::TLS_FAILED,
        ForGood,
        "Redis does not speak TLS at this port",
        "turn TLS off, or configure the server's TLS port (tls-port)",
    );
    pub(crate) const TLS_EXPECTED: Self = Self::new(
        codes::TLS_FAILED,
        ForGood,
        "Redis speaks TLS at this port, and was spoken to without",
        "turn TLS on",
    );
    pub(crate) const TLS_REFUSED: Self = Self::new(
        codes::TLS_FAILED,
        ForGood,
        "Redis and this client could not agree on TLS",
        "see the detail of this finding; the server may ask for a client certificate or \
        allow other versions of TLS only",
    );
    pub(crate) const TLS_SETUP: Self = Self::new(
        codes::TLS_FAILED,
        ForGood,
        "TLS towards Redis could not be set up",
        "see the detail of this finding; mostly the system's certificate authorities \
        cannot be read, or the host is no valid name for a certificate",
    );
    pub(crate) const NOT_REDIS: Self = Self::new(
        codes::NOT_REDIS,
        ForGood,
        "what answers at the address of Redis does not speak its protocol",
        "compare the configured host and port with those of the server",
    );
    pub(crate) const VERSION_TOO_OLD: Self = Self::new(
        codes::VERSION_TOO_OLD,
        ForGood,
        "this Redis is older than version 6",
        "upgrade to Redis 6 or later, or to Valkey",
    );
    pub(crate) const ROUND_TRIP_MISMATCH: Self = Self::new(
        codes::ROUND_TRIP_MISMATCH,
        ForNow,
        "Redis did not give back what was written a moment before",
        "see whether a proxy sends reads to a replica, or whether keys are evicted at once",
    );
    pub(crate) const SERVER_ERROR: Self = Self::new(
        codes::SERVER_ERROR,
        ForNow,
        "Redis answered with an error",
        "see the detail of this finding and the server's log",
    );
    pub(crate) const POOL_CLOSED: Self = Self::new(
        codes::POOL_CLOSED,
        ForGood,
        "the pool of Redis connections is closed",
        "none is needed while the process stops; otherwise restart it",
    );

    const fn new(code: Code, stays: Stays, text: &'static str, remedy: &'static str) -> Self {
        Self {
            code,
            stays,
            text,
            remedy,
        }
    }

    /// Whether other commands may fare better.
    pub(crate) fn is_of_one_command(self) -> bool {
        [
            Self::COMMAND_DENIED,
            Self::KEY_DENIED,
            Self::COMMAND_UNAVAILABLE,
        ]
        .contains(&self)
    }

    pub(crate) fn finding(self) -> Finding {
        let finding = Finding::fail(self.code, self.text).remedy(self.remedy);
        match self.stays {
            ForGood => finding,
            ForNow => finding.transient(None),
        }
    }
}
