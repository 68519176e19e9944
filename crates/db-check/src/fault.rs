//! What can be wrong between a service and its PostgreSQL, as a closed list.

use std::{error::Error as StdError, io};

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError, SqlState};
use tria_check::{Code, Finding, PrivateText};

/// One thing that can be wrong: its code, whether waiting can help, and what anyone may read of
/// it. The texts are fixed, so nothing that a server or a driver says can reach the public.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    code: Code,
    transient: bool,
    text: &'static str,
    remedy: &'static str,
}

// === impl Fault ===

impl Fault {
    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Whether it may go away by itself.
    pub const fn is_transient(&self) -> bool {
        self.transient
    }

    /// Whether the server took the statement and refused it, for none of the known reasons. A
    /// question of ours may be answered the next time; a statement that changes the schema is
    /// refused again.
    pub fn is_refused_statement(&self) -> bool {
        self.code == QUERY_FAILED.code
    }

    /// What is wrong; safe to show anyone.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// What to do about it; safe to show anyone.
    pub const fn remedy(&self) -> &'static str {
        self.remedy
    }

    /// The failure as a finding.
    pub fn finding(&self, detail: PrivateText) -> Finding {
        let finding = Finding::fail(self.code, self.text)
            .remedy(self.remedy)
            .detail(detail);
        if self.transient {
            finding.transient(None)
        } else {
            finding
        }
    }

    /// The fault behind an error of the driver.
    pub fn of(error: &tokio_postgres::Error) -> &'static Self {
        if let Some(refusal) = error.as_db_error() {
            return of_refusal(refusal);
        }
        if error.is_closed() {
            return &CONNECTION_LOST;
        }
        let mut cause = StdError::source(error);
        while let Some(inner) = cause {
            if let Some(fault) = of_cause(inner) {
                return fault;
            }
            cause = inner.source();
        }
        // The driver tells these kinds apart by their text only.
        match error.to_string().as_str() {
            "timeout waiting for server" => &CONNECT_TIMEOUT,
            "error performing TLS handshake" => &TLS_HANDSHAKE,
            "authentication error" => &AUTH_FAILED,
            "unexpected message from server" | "error parsing response from server" => {
                &PROTOCOL_ERROR
            }
            "error connecting to server" | "error communicating with the server" => {
                &CONNECTION_LOST
            }
            _ => &QUERY_FAILED,
        }
    }

    /// The fault behind an error of the pool. A wait that timed out counts as a pool that is in
    /// use; see [`crate::DatabaseCheck`] for how the two are told apart.
    pub fn of_pool(error: &PoolError) -> &'static Self {
        match error {
            PoolError::Backend(error) => Self::of(error),
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => &CONNECT_TIMEOUT,
            PoolError::Timeout(TimeoutType::Wait) => &POOL_BUSY,
            PoolError::Closed => &POOL_CLOSED,
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => &POOL_BROKEN,
        }
    }

    /// The fault behind the first error of the driver or the pool in a chain of errors, so that
    /// an application can class what its own code met.
    pub fn in_chain(error: &(dyn StdError + 'static)) -> Option<&'static Self> {
        let mut cause = Some(error);
        while let Some(inner) = cause {
            if let Some(error) = inner.downcast_ref::<tokio_postgres::Error>() {
                return Some(Self::of(error));
            }
            if let Some(error) = inner.downcast_ref::<PoolError>() {
                return Some(Self::of_pool(error));
            }
            cause = inner.source();
        }
        None
    }
}

/// What the server said no to, by SQLSTATE
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn of_refusal(refusal: &DbError) -> &'static Fault {
    let state = refusal.code();
    if *state == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return of_authorization(refusal.routine(), refusal.message());
    }
    match (state.code(), &state.code()[..2.min(state.code().len())]) {
        ("28P01", _) => &AUTH_FAILED,
        ("3D000", _) => &DATABASE_MISSING,
        ("42501", _) => &PERMISSION_DENIED,
        ("42P01" | "3F000", _) => &TABLE_MISSING,
        ("42703", _) => &COLUMN_MISSING,
        ("25006", _) => &READ_ONLY,
        ("57P03", _) => &STARTING_UP,
        ("57P01" | "57P02" | "57P04" | "57P05", _) => &SERVER_SHUTDOWN,
        ("57014" | "55P03" | "25P03" | "25P04", _) => &QUERY_TIMEOUT,
        ("53300", _) => &TOO_MANY_CONNECTIONS,
        ("53100", _) => &DISK_FULL,
        (_, "53") => &OUT_OF_RESOURCES,
        (_, "08") => &CONNECTION_LOST,
        _ => &QUERY_FAILED,
    }
}

/// 28000 covers both a role that may not log in and a rule of `pg_hba.conf`; the latter comes
/// from `ClientAuthentication` and names the kind of connection.
fn of_authorization(routine: Option<&str>, message: &str) -> &'static Fault {
    let by_rule = routine == Some("ClientAuthentication") || message.contains("pg_hba.conf");
    let plain = message.contains("no encryption") || message.contains("SSL off");
    match (by_rule, plain) {
        (true, true) => &TLS_REQUIRED,
        (true, false) => &NOT_ALLOWED,
        (false, _) => &AUTH_FAILED,
    }
}

fn of_cause(cause: &(dyn StdError + 'static)) -> Option<&'static Fault> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return of_io(error);
    }
    match cause.to_string().as_str() {
        "server does not support TLS" => Some(&TLS_UNSUPPORTED),
        "password missing" => Some(&PASSWORD_MISSING),
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> &'static Fault {
    match error {
        rustls::Error::InvalidCertificate(_)
        | rustls::Error::InvalidCertRevocationList(_)
        | rustls::Error::NoCertificatesPresented
        | rustls::Error::UnsupportedNameType => &TLS_CERTIFICATE,
        _ => &TLS_HANDSHAKE,
    }
}

fn of_io(error: &io::Error) -> Option<&'static Fault> {
    // An `io::Error` does not name what it wraps as its source, but the source of that.
    if let Some(wrapped) = error.get_ref()
        && let Some(fault) = of_cause(wrapped)
    {
        return Some(fault);
    }
    let text = error.to_string();
    if text.contains("failed to lookup address") || text.contains("could not resolve") {
        return Some(&DNS_FAILED);
    }
    match error.kind() {
        // A socket's path that does not exist is how a stopped local server looks.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Some(&CONNECT_REFUSED),
        io::ErrorKind::TimedOut => Some(&CONNECT_TIMEOUT),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(&UNREACHABLE),
        io::ErrorKind::PermissionDenied if text.contains("does not allow writes") => {
            Some(&READ_ONLY)
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(&CONNECTION_LOST),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Some(&PROTOCOL_ERROR),
        _ => None,
    }
}

macro_rules! faults {
    ($($name:ident = $code:literal, $class:ident, $text:literal, $remedy:literal;)*) => {
        $(pub(crate) static $name: Fault = Fault {
            code: Code::new($code),
            transient: faults!(@$class),
            text: $text,
            remedy: $remedy,
        };)*

        /// Every fault, for tests of the list as a whole.
        #[cfg(test)]
        pub(crate) static ALL: &[&Fault] = &[$(&$name),*];

        /// The codes of all faults, and of what a check finds with a server that answers.
        pub const CODES: &[Code] = &[
            $(Code::new($code),)*
            crate::database::VERSION_UNSUPPORTED,
            crate::database::IN_RECOVERY,
            crate::database::CONNECTIONS_LOW,
            crate::schema::SCHEMA_MISSING,
            crate::schema::SCHEMA_OUTDATED,
            crate::schema::SCHEMA_NEWER,
            crate::schema::SCHEMA_INCOMPATIBLE,
            crate::statistics::TRANSACTION_OLD,
            crate::statistics::LOCK_WAITING,
        ];
    };
    (@permanent) => { false };
    (@transient) => { true };
}

faults! {
    AUTH_FAILED = "auth_failed", permanent,
        "the database refuses the user or the password",
        "set the user and password of the database URL to a role that may log in";
    PASSWORD_MISSING = "password_missing", permanent,
        "the database asks for a password and none is configured",
        "put the password into the database URL";
    NOT_ALLOWED = "connection_not_allowed", permanent,
        "the database does not let this user connect to this database from here",
        "add a rule for this host, user and database to the server's pg_hba.conf";
    DATABASE_MISSING = "database_missing", permanent,
        "the database does not exist on this server",
        "create the database, or correct its name in the database URL";
    PERMISSION_DENIED = "permission_denied", permanent,
        "the database user lacks a privilege",
        "grant the user CONNECT on the database, and USAGE and the table privileges on its schema";
    TABLE_MISSING = "table_missing", permanent,
        "the database lacks a table",
        "run the migrations";
    COLUMN_MISSING = "column_missing", permanent,
        "the database lacks a column",
        "run the migrations";
    READ_ONLY = "read_only", permanent,
        "the database is read-only",
        "connect to the primary, or turn default_transaction_read_only off";
    TLS_REQUIRED = "tls_required_by_server", permanent,
        "the database refuses this connection without TLS",
        "set sslmode=require or stricter in the database URL; if TLS is not wanted, allow this host in pg_hba.conf";
    TLS_UNSUPPORTED = "tls_unsupported_by_server", permanent,
        "the database server offers no TLS, and the database URL demands it",
        "turn ssl on at the server, or set sslmode=prefer or disable on a network that is trusted";
    TLS_CERTIFICATE = "tls_certificate", permanent,
        "the certificate of the database server is not accepted",
        "set sslrootcert to the authority that signed it, and the host to a name that it holds; see that it has not expired";
    TLS_HANDSHAKE = "tls_handshake_failed", permanent,
        "the TLS handshake with the database failed",
        "see that the server speaks TLS 1.2 or newer and that nothing in between ends TLS";
    STARTING_UP = "starting_up", transient,
        "the database is starting up or shutting down",
        "wait; if it lasts, read the server's log";
    SERVER_SHUTDOWN = "server_shutdown", transient,
        "the database server ended the connection",
        "see that the server runs; an operator or a restart has ended its sessions";
    TOO_MANY_CONNECTIONS = "too_many_connections", transient,
        "the database has no connection left",
        "lower the pool sizes of its clients, or raise max_connections";
    DISK_FULL = "disk_full", transient,
        "the disk of the database is full",
        "free disk space on the database server";
    OUT_OF_RESOURCES = "out_of_resources", transient,
        "the database is out of resources",
        "look at the memory and the limits of the database server";
    CONNECT_REFUSED = "connect_refused", transient,
        "nothing listens at the address of the database",
        "start PostgreSQL, or correct host and port in the database URL";
    CONNECT_TIMEOUT = "connect_timeout", transient,
        "no connection to the database could be opened in time",
        "see whether the server is overloaded, or whether a firewall drops packets on the way";
    UNREACHABLE = "unreachable", transient,
        "there is no route to the host of the database",
        "see that the network is up and the host in the database URL is right";
    DNS_FAILED = "dns_failed", transient,
        "the host of the database cannot be resolved",
        "correct the host in the database URL, or see that the name server answers";
    CONNECTION_LOST = "connection_lost", transient,
        "the connection to the database broke",
        "see that host and port in the database URL are those of a PostgreSQL server, and that nothing in between cuts connections";
    PROTOCOL_ERROR = "protocol_error", transient,
        "what answers at the address of the database does not speak its protocol",
        "see that host and port in the database URL are those of a PostgreSQL server";
    QUERY_TIMEOUT = "query_timeout", transient,
        "the database did not answer a query in time",
        "look for a long lock or a heavy load on the database server";
    QUERY_FAILED = "query_failed", transient,
        "the database failed a query",
        "read the private detail in the log or the diagnostics";
    POOL_BUSY = "pool_busy", transient,
        "all connections of the pool are in use",
        "enlarge the pool, or find what holds its connections for so long";
    POOL_CLOSED = "pool_closed", permanent,
        "the connection pool is closed",
        "nothing to do while the process stops; otherwise the pool was closed too early";
    POOL_BROKEN = "pool_broken", permanent,
        "the connection pool cannot hand out connections",
        "build the pool with a runtime, and mend its hooks";
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
