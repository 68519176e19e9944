//! What a failed request says about the server.

use std::error::Error as StdError;
use std::io;

use tria_check::{Code, Finding, PrivateText, PublicText};
use tria_chroma::{ChromaClient, Error};

use crate::codes;

const LOOK_AT_SERVER: &str = "look at the server's log";
const CHECK_URL: &str = "check that the configured URL is that of ChromaDB, with its port and path";

/// A failed request as a finding. `step` says what was asked, as in `heartbeat`.
pub(crate) fn finding(chroma: &ChromaClient, step: &str, error: &Error) -> Finding {
    let (code, text, remedy) = describe(error);
    let finding = fail(chroma, step, code, text, remedy, error);
    if error.is_transient() {
        finding.transient(retry_after(error))
    } else {
        finding
    }
}

/// A finding for something that does not exist, by Chroma's own word.
pub(crate) fn missing(
    chroma: &ChromaClient,
    step: &str,
    code: Code,
    text: impl Into<PublicText>,
    remedy: impl Into<PublicText>,
    error: &Error,
) -> Finding {
    fail(chroma, step, code, text, remedy, error)
}

/// A finding for a run whose time was up.
pub(crate) fn timed_out(chroma: &ChromaClient) -> Finding {
    let (text, remedy) = TIMED_OUT;
    let detail = format!("the check's time is up ({})", place(chroma));
    Finding::fail(codes::RESPONSE_TIMEOUT, text)
        .remedy(remedy)
        .detail(PrivateText::new(detail))
        .transient(None)
}

/// Where the client asks, for private details.
pub(crate) fn place(chroma: &ChromaClient) -> String {
    format!(
        "{} tenant {} database {}",
        chroma.base_url(),
        chroma.tenant(),
        chroma.database()
    )
}

const TIMED_OUT: (&str, &str) = (
    "ChromaDB did not answer in time",
    "look at the server for overload, and whether something on the way holds its answers up",
);

fn fail(
    chroma: &ChromaClient,
    step: &str,
    code: Code,
    text: impl Into<PublicText>,
    remedy: impl Into<PublicText>,
    error: &Error,
) -> Finding {
    let chain = PrivateText::from_error(error);
    let mut detail = format!("{step} ({}): {}", place(chroma), chain.expose());
    if let Error::UnexpectedBody { excerpt, .. } = error {
        detail.push_str(": ");
        detail.push_str(excerpt.as_str());
    }
    Finding::fail(code, text)
        .remedy(remedy)
        .detail(PrivateText::new(detail))
}

/// The code, the public text and the remedy of each kind of error.
fn describe(error: &Error) -> (Code, &'static str, &'static str) {
    match error {
        Error::Connect(source) if is_refused(source) => (
            codes::CONNECT_REFUSED,
            "ChromaDB refuses connections",
            "start ChromaDB, or check host and port of the configured URL",
        ),
        Error::Connect(_) => (
            codes::UNREACHABLE,
            "ChromaDB cannot be reached",
            "check the network between this host and ChromaDB",
        ),
        Error::Dns(_) => (
            codes::DNS_FAILED,
            "the host name of ChromaDB does not resolve",
            "check the host of the configured URL, and the name server",
        ),
        Error::Timeout(source) if source.is_connect() => (
            codes::CONNECT_TIMEOUT,
            "no connection to ChromaDB came about in time",
            "check that no firewall drops its packets, and host and port of the configured URL",
        ),
        Error::Timeout(_) => (codes::RESPONSE_TIMEOUT, TIMED_OUT.0, TIMED_OUT.1),
        Error::Interrupted(_) => (
            codes::CONNECTION_LOST,
            "the connection to ChromaDB broke off",
            LOOK_AT_SERVER,
        ),
        Error::Tls(_) => (
            codes::TLS_FAILED,
            "no TLS connection to ChromaDB",
            "use http in the configured URL if the server speaks no TLS; otherwise check its certificate",
        ),
        Error::ServerTooOld => (
            codes::SERVER_TOO_OLD,
            "this ChromaDB is too old: it has only the v1 API",
            "upgrade ChromaDB to 1.0.0 or newer",
        ),
        Error::Retired => (
            codes::API_RETIRED,
            "requests reach the retired v1 API of ChromaDB (410)",
            "let the proxy in front of ChromaDB pass paths that begin with /api/v2 unchanged",
        ),
        Error::Status { status, .. } => of_status(*status),
        Error::NotHttp(_) | Error::UnexpectedBody { .. } | Error::BodyTooLarge { .. } => {
            (codes::NOT_CHROMA, "what answers is not ChromaDB", CHECK_URL)
        }
        _ => (codes::REQUEST_FAILED, "ChromaDB cannot be asked", CHECK_URL),
    }
}

fn of_status(status: u16) -> (Code, &'static str, &'static str) {
    match status {
        300..=399 => (
            codes::REDIRECTED,
            "ChromaDB's address redirects elsewhere",
            "configure the URL that the redirect leads to, often the same with https",
        ),
        401 | 403 => (
            codes::AUTH_FAILED,
            "ChromaDB refuses the credentials",
            "check the configured token, and that it may read the database",
        ),
        404 | 405 => (codes::NOT_CHROMA, "what answers is not ChromaDB", CHECK_URL),
        429 => (
            codes::RATE_LIMITED,
            "ChromaDB limits the rate of requests",
            "raise the limit, or check less often",
        ),
        500..=599 => (
            codes::SERVER_ERROR,
            "ChromaDB reports an error of its own",
            LOOK_AT_SERVER,
        ),
        _ => (
            codes::REQUEST_REFUSED,
            "ChromaDB refuses the request",
            LOOK_AT_SERVER,
        ),
    }
}

fn is_refused(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::ConnectionRefused;
        }
        cause = current.source();
    }
    false
}

fn retry_after(error: &Error) -> Option<std::time::Duration> {
    match error {
        Error::Status { retry_after, .. } => *retry_after,
        _ => None,
    }
}
