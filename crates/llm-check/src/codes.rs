//! The closed list of codes of this crate.

use tria_check::Code;

/// HTTP 401: the key is wrong, revoked or missing. Permanent.
pub const AUTH_FAILED: Code = Code::new("auth_failed");
/// HTTP 403: the key is right but may not do this (region, project, missing scope). Permanent.
pub const FORBIDDEN: Code = Code::new("forbidden");
/// The API answers, but does not offer the model to this key. Permanent.
pub const MODEL_MISSING: Code = Code::new("model_missing");
/// HTTP 404 for the path itself: the base URL is wrong. Permanent.
pub const ENDPOINT_MISSING: Code = Code::new("endpoint_missing");
/// HTTP 429 for the pace of requests. Transient, with the wait that the API asked for.
pub const RATE_LIMITED: Code = Code::new("rate_limited");
/// HTTP 429 or 402 because the quota or the balance is used up. Permanent: somebody must pay.
pub const INSUFFICIENT_QUOTA: Code = Code::new("insufficient_quota");
/// HTTP 5xx. Transient.
pub const SERVER_ERROR: Code = Code::new("server_error");
/// Any other HTTP 4xx: the API takes the key but not this request. Permanent.
pub const REQUEST_REFUSED: Code = Code::new("request_refused");
/// HTTP 3xx: redirects are not followed, for the key must not travel to another host. Permanent.
pub const REDIRECT_REFUSED: Code = Code::new("redirect_refused");
/// The host's name has no address (yet). Transient.
pub const DNS_FAILED: Code = Code::new("dns_failed");
/// Nothing listens at the address. Transient.
pub const CONNECT_REFUSED: Code = Code::new("connect_refused");
/// The connection could not be made for another reason. Transient.
pub const CONNECT_FAILED: Code = Code::new("connect_failed");
/// No connection came about in time. Transient.
pub const CONNECT_TIMEOUT: Code = Code::new("connect_timeout");
/// The request was sent, and no answer came in time. Transient.
pub const RESPONSE_TIMEOUT: Code = Code::new("response_timeout");
/// The TLS handshake failed: a certificate that is not trusted, or no TLS at all. Permanent.
pub const TLS_FAILED: Code = Code::new("tls_failed");
/// The connection ended in the middle of the answer. Transient.
pub const CONNECTION_LOST: Code = Code::new("connection_lost");
/// Something answers, but not as an OpenAI-compatible API does: HTML, nothing, other JSON, or no
/// HTTP. Permanent.
pub const NOT_OPENAI_API: Code = Code::new("not_openai_api");
/// The answer is longer than the check reads. Permanent.
pub const BODY_TOO_LARGE: Code = Code::new("body_too_large");
/// The server does not make embeddings. Permanent.
pub const EMBEDDINGS_UNSUPPORTED: Code = Code::new("embeddings_unsupported");
/// The embeddings have another dimension than the one expected. Permanent.
pub const DIMENSION_MISMATCH: Code = Code::new("dimension_mismatch");
/// The model refused a harmless request, or a content filter swallowed its answer. Permanent, so
/// that start-up does not pay for one try after another.
pub const COMPLETION_REFUSED: Code = Code::new("completion_refused");
/// The model said nothing. Permanent, as a refusal.
pub const COMPLETION_EMPTY: Code = Code::new("completion_empty");

/// All codes of this crate. Besides them a finding may carry `ok`.
pub const ALL: &[Code] = &[
    AUTH_FAILED,
    FORBIDDEN,
    MODEL_MISSING,
    ENDPOINT_MISSING,
    RATE_LIMITED,
    INSUFFICIENT_QUOTA,
    SERVER_ERROR,
    REQUEST_REFUSED,
    REDIRECT_REFUSED,
    DNS_FAILED,
    CONNECT_REFUSED,
    CONNECT_FAILED,
    CONNECT_TIMEOUT,
    RESPONSE_TIMEOUT,
    TLS_FAILED,
    CONNECTION_LOST,
    NOT_OPENAI_API,
    BODY_TOO_LARGE,
    EMBEDDINGS_UNSUPPORTED,
    DIMENSION_MISMATCH,
    COMPLETION_REFUSED,
    COMPLETION_EMPTY,
];
