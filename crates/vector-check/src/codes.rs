//! The closed list of what a [`VectorCheck`](crate::VectorCheck) can find. A code with *(waits)*
//! can go away by itself; the others stay until somebody acts.

use tria_check::Code;

/// Nobody listens at the address *(waits)*.
pub const CONNECT_REFUSED: Code = Code::new("connect_refused");
/// The host or network cannot be reached *(waits)*.
pub const UNREACHABLE: Code = Code::new("unreachable");
/// The host name does not resolve *(waits)*.
pub const DNS_FAILED: Code = Code::new("dns_failed");
/// No connection in time *(waits)*.
pub const CONNECT_TIMEOUT: Code = Code::new("connect_timeout");
/// No answer in time *(waits)*.
pub const RESPONSE_TIMEOUT: Code = Code::new("response_timeout");
/// The connection broke in the middle *(waits)*.
pub const CONNECTION_LOST: Code = Code::new("connection_lost");
/// The TLS handshake failed.
pub const TLS_FAILED: Code = Code::new("tls_failed");
/// The answer is a redirect, which is not followed.
pub const REDIRECTED: Code = Code::new("redirected");
/// Something answers that is no `ChromaDB`.
pub const NOT_CHROMA: Code = Code::new("not_chroma");
/// A `ChromaDB` with only the v1 API, or of a version below the minimum.
pub const SERVER_TOO_OLD: Code = Code::new("server_too_old");
/// A `ChromaDB` that answers 410: requests reach its retired v1 API.
pub const API_RETIRED: Code = Code::new("api_retired");
/// The reported version cannot be read (Warn).
pub const VERSION_UNREADABLE: Code = Code::new("version_unreadable");
/// Status 401 or 403.
pub const AUTH_FAILED: Code = Code::new("auth_failed");
/// Status 429 *(waits)*.
pub const RATE_LIMITED: Code = Code::new("rate_limited");
/// Status 5xx *(waits, save 501 and 505)*.
pub const SERVER_ERROR: Code = Code::new("server_error");
/// Another status that refuses the request.
pub const REQUEST_REFUSED: Code = Code::new("request_refused");
/// The request could not be made.
pub const REQUEST_FAILED: Code = Code::new("request_failed");
/// The tenant does not exist.
pub const TENANT_MISSING: Code = Code::new("tenant_missing");
/// The database does not exist.
pub const DATABASE_MISSING: Code = Code::new("database_missing");
/// A collection does not exist.
pub const COLLECTION_MISSING: Code = Code::new("collection_missing");
/// A collection holds embeddings of another length.
pub const DIMENSION_MISMATCH: Code = Code::new("dimension_mismatch");
/// A collection holds fewer records than are needed.
pub const COLLECTION_TOO_SMALL: Code = Code::new("collection_too_small");

/// All of them.
pub const ALL: &[Code] = &[
    CONNECT_REFUSED,
    UNREACHABLE,
    DNS_FAILED,
    CONNECT_TIMEOUT,
    RESPONSE_TIMEOUT,
    CONNECTION_LOST,
    TLS_FAILED,
    REDIRECTED,
    NOT_CHROMA,
    SERVER_TOO_OLD,
    API_RETIRED,
    VERSION_UNREADABLE,
    AUTH_FAILED,
    RATE_LIMITED,
    SERVER_ERROR,
    REQUEST_REFUSED,
    REQUEST_FAILED,
    TENANT_MISSING,
    DATABASE_MISSING,
    COLLECTION_MISSING,
    DIMENSION_MISMATCH,
    COLLECTION_TOO_SMALL,
];
