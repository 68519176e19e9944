//! The closed list of what a [`RedisCheck`](crate::RedisCheck) can find.

use tria_check::Code;

/// The server wants a password and got none (`NOAUTH`).
pub const AUTH_REQUIRED: Code = Code::new("auth_required");
/// The user or the password was refused (`WRONGPASS`).
pub const AUTH_FAILED: Code = Code::new("auth_failed");
/// The user may not run a command, or not touch the probe's keys (`NOPERM`).
pub const PERMISSION_DENIED: Code = Code::new("permission_denied");
/// The server refuses clients from other hosts (`DENIED`).
pub const PROTECTED_MODE: Code = Code::new("protected_mode");
/// A command that is needed does not exist there: renamed, or no Redis at all.
pub const COMMAND_UNAVAILABLE: Code = Code::new("command_unavailable");
/// The database number is beyond what the server has.
pub const DB_OUT_OF_RANGE: Code = Code::new("db_out_of_range");
/// The server reads its data set from disk (`LOADING`).
pub const LOADING: Code = Code::new("loading");
/// A replica that takes no writes (`READONLY`).
pub const READ_ONLY: Code = Code::new("read_only");
/// A replica that has lost its master and serves nothing (`MASTERDOWN`).
pub const MASTER_DOWN: Code = Code::new("master_down");
/// Too few replicas for a write (`NOREPLICAS`).
pub const NO_REPLICAS: Code = Code::new("no_replicas");
/// Saving to disk fails, so that writes are refused (`MISCONF`).
pub const PERSISTENCE_FAILING: Code = Code::new("persistence_failing");
/// `maxmemory` is used up, so that writes are refused (`OOM`).
pub const OUT_OF_MEMORY: Code = Code::new("out_of_memory");
/// A script or function holds the server (`BUSY`).
pub const BUSY: Code = Code::new("busy");
/// All of `maxclients` are connected.
pub const MAX_CLIENTS: Code = Code::new("max_clients");
/// The cluster does not serve (`CLUSTERDOWN`).
pub const CLUSTER_DOWN: Code = Code::new("cluster_down");
/// One node of a cluster whose keys are spread over several (`MOVED`, `ASK`).
pub const CLUSTER: Code = Code::new("cluster");
/// A Sentinel, which holds no keys.
pub const SENTINEL: Code = Code::new("sentinel");
/// Nobody listens at the address.
pub const CONNECT_REFUSED: Code = Code::new("connect_refused");
/// The address cannot be reached.
pub const CONNECT_FAILED: Code = Code::new("connect_failed");
/// No connection was ready in time.
pub const CONNECT_TIMEOUT: Code = Code::new("connect_timeout");
/// The connection was made, the answer did not come in time.
pub const RESPONSE_TIMEOUT: Code = Code::new("response_timeout");
/// The connection was closed in the middle.
pub const CONNECTION_CLOSED: Code = Code::new("connection_closed");
/// The host has no address.
pub const DNS_FAILED: Code = Code::new("dns_failed");
/// TLS could not be agreed on, or the certificate was refused.
pub const TLS_FAILED: Code = Code::new("tls_failed");
/// Something answers that does not speak the protocol.
pub const NOT_REDIS: Code = Code::new("not_redis");
/// Older than version 6.
pub const VERSION_TOO_OLD: Code = Code::new("version_too_old");
/// What was read is not what was written.
pub const ROUND_TRIP_MISMATCH: Code = Code::new("round_trip_mismatch");
/// An error that this crate does not know.
pub const SERVER_ERROR: Code = Code::new("server_error");
/// The application has closed its pool.
pub const POOL_CLOSED: Code = Code::new("pool_closed");
/// All connections of the application's pool are in use.
pub const POOL_BUSY: Code = Code::new("pool_busy");
/// The pool cannot test a connection before it hands it out, and opens a new one each time.
pub const CONNECTIONS_NOT_REUSED: Code = Code::new("connections_not_reused");
/// Under memory pressure, keys that still have time to live are dropped.
pub const EVICTION_POLICY: Code = Code::new("eviction_policy");
/// More than 90 % of `maxmemory` is used.
pub const MEMORY_HIGH: Code = Code::new("memory_high");
/// Keys that still had time to live were dropped.
pub const EVICTING: Code = Code::new("evicting");
/// The last save to disk failed, and the server goes on all the same.
pub const SAVE_FAILED: Code = Code::new("save_failed");

/// All of them.
pub const ALL: &[Code] = &[
    AUTH_REQUIRED,
    AUTH_FAILED,
    PERMISSION_DENIED,
    PROTECTED_MODE,
    COMMAND_UNAVAILABLE,
    DB_OUT_OF_RANGE,
    LOADING,
    READ_ONLY,
    MASTER_DOWN,
    NO_REPLICAS,
    PERSISTENCE_FAILING,
    OUT_OF_MEMORY,
    BUSY,
    MAX_CLIENTS,
    CLUSTER_DOWN,
    CLUSTER,
    SENTINEL,
    CONNECT_REFUSED,
    CONNECT_FAILED,
    CONNECT_TIMEOUT,
    RESPONSE_TIMEOUT,
    CONNECTION_CLOSED,
    DNS_FAILED,
    TLS_FAILED,
    NOT_REDIS,
    VERSION_TOO_OLD,
    ROUND_TRIP_MISMATCH,
    SERVER_ERROR,
    POOL_CLOSED,
    POOL_BUSY,
    CONNECTIONS_NOT_REUSED,
    EVICTION_POLICY,
    MEMORY_HIGH,
    EVICTING,
    SAVE_FAILED,
];
