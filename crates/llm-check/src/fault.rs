//! Calls that got no answer, or not the whole of it.

use std::{error::Error, io, time::Duration};

use rustls::CertificateError;
use tria_check::{Finding, PublicText};

use crate::codes;

/// What a failed exchange means; `allowed` is the time it had.
pub(crate) fn transport(error: &reqwest::Error, allowed: Duration) -> Finding {
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_finding(tls);
    }
    if error.is_timeout() {
        return timed_out(error.is_connect(), allowed);
    }
    if is_dns(error) {
        return Finding::fail(codes::DNS_FAILED, "The API's host name has no address")
            .transient(None)
            .remedy("check the host of the base URL, and that this machine can resolve names");
    }
    let io = find::<io::Error>(error).map(io::Error::kind);
    if io == Some(io::ErrorKind::ConnectionRefused) {
        return Finding::fail(
            codes::CONNECT_REFUSED,
            "Nothing listens at the API's address",
        )
        .transient(None)
        .remedy("start the server, or correct the host and port of the base URL");
    }
    if error.is_connect() {
        return Finding::fail(
            codes::CONNECT_FAILED,
            "No connection to the API could be made",
        )
        .transient(None)
        .remedy("check the network, the firewall and the proxy between here and the API");
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        return Finding::fail(codes::NOT_OPENAI_API, "What answers does not speak HTTP")
            .remedy("correct the port of the base URL, and whether it begins with http or https");
    }
    Finding::fail(
        codes::CONNECTION_LOST,
        "The connection ended before the answer was complete",
    )
    .transient(None)
    .remedy("see whether the server restarts, or a proxy cuts connections")
}

fn timed_out(connecting: bool, allowed: Duration) -> Finding {
    if connecting {
        return Finding::fail(
            codes::CONNECT_TIMEOUT,
            "No connection to the API came about in time",
        )
        .transient(None)
        .remedy("see whether a firewall drops packets on the way, and whether the host is right");
    }
    let limit = allowed.as_millis().try_into().unwrap_or(u64::MAX);
    let text = PublicText::filled("The API gave no answer within {} ms", &[limit.into()]);
    Finding::fail(codes::RESPONSE_TIMEOUT, text)
        .transient(None)
        .remedy("see whether the API is overloaded, or whether something on the way holds it up")
}

fn tls_finding(error: &rustls::Error) -> Finding {
    let (text, remedy) = match error {
        rustls::Error::InvalidCertificate(problem) => certificate(problem),
        rustls::Error::InvalidMessage(_) => (
            "What answers at the API's address does not speak TLS",
            "begin the base URL with http://, or correct its port",
        ),
        _ => (
            "The TLS handshake with the API failed",
            "see that server and client share a TLS version, and that no proxy breaks TLS open",
        ),
    };
    Finding::fail(codes::TLS_FAILED, text).remedy(remedy)
}

fn certificate(problem: &CertificateError) -> (&'static str, &'static str) {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "The API's certificate has expired",
            "renew the certificate, and check this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "The API's certificate is not valid yet",
            "check this machine's clock",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "The API's certificate is for another host name",
            "use the host name that the certificate is for in the base URL",
        ),
        _ => (
            "The API's certificate is not trusted here",
            "add the authority that signed it to the trusted root certificates",
        ),
    }
}

/// hyper-util keeps the type of this error to itself; its text is what is left.
fn is_dns(error: &reqwest::Error) -> bool {
    error.is_connect() && sources(error).any(|source| source.to_string() == "dns error")
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    sources(error).find_map(<dyn Error>::downcast_ref)
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| below(error))
}

/// An `io::Error` names as its source the source of what it wraps, and so hides what it wraps.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
