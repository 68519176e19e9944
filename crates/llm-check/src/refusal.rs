//! Answers with a status that says no.

use std::time::SystemTime;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION},
};
use tria_check::Finding;

use crate::{codes, wait, wire::ErrorBody};

/// Codes and types with which a 429 says that waiting does not help.
const QUOTA: &[&str] = &[
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
];

/// A call that was refused, and whether that leaves another way open.
pub(crate) enum Refusal {
    /// The server has nothing at this path; another may serve.
    NoSuchPath(Finding),
    /// The server knows the path, but not the model.
    NoSuchModel(Finding),
    /// Anything else.
    Other(Finding),
}

/// What a status, with its headers and body, means.
pub(crate) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let error = ErrorBody::parse(body).unwrap_or_default();
    let wait = || wait::asked(headers, SystemTime::now());
    let finding = match status.as_u16() {
        300..=399 => redirected(),
        400 if is_bad_key(&error) => wrong_key(),
        401 => wrong_key(),
        400..=499 if names_model(&error) => return Refusal::NoSuchModel(no_such_model()),
        402 => quota(),
        403 => forbidden(),
        404 | 405 | 501 => return Refusal::NoSuchPath(no_such_path()),
        429 if error.is_labelled(QUOTA) => quota(),
        429 => rate_limited().transient(wait()),
        408 | 500.. => server_error().transient(wait()),
        _ => request_refused(),
    };
    Refusal::Other(finding)
}

/// What the server said about it, for operators; the caller takes the key out. Of a body that is
/// no JSON only its kind and size are told: markup may hide the key from being found.
pub(crate) fn told(headers: &HeaderMap, body: &[u8]) -> String {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).map(|to| format!(" to {to}"));
    let location = location.unwrap_or_default();
    let said = ErrorBody::parse(body).map_or_else(
        || {
            let kind = header(CONTENT_TYPE).unwrap_or("no content type");
            format!("{} bytes of {kind}", body.len())
        },
        |error| format!("{} ({})", error.message, error.labels.join(", ")),
    );
    format!("{location}, {said}")
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn map(self, change: impl FnOnce(Finding) -> Finding) -> Self {
        match self {
            Self::NoSuchPath(finding) => Self::NoSuchPath(change(finding)),
            Self::NoSuchModel(finding) => Self::NoSuchModel(change(finding)),
            Self::Other(finding) => Self::Other(change(finding)),
        }
    }

    pub(crate) fn into_finding(self) -> Finding {
        match self {
            Self::NoSuchPath(finding) | Self::NoSuchModel(finding) | Self::Other(finding) => {
                finding
            }
        }
    }
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Self {
        Self::Other(finding)
    }
}

/// Gemini says so with a 400.
fn is_bad_key(error: &ErrorBody) -> bool {
    error.is_labelled(&["invalid_api_key"]) || error.message.contains("API key not valid")
}

fn names_model(error: &ErrorBody) -> bool {
    error.is_labelled(&["model_not_found"])
}

fn wrong_key() -> Finding {
    Finding::fail(codes::AUTH_FAILED, "The API key was refused")
        .remedy("set OPENAI_API_KEY to a valid key of this API; keys can be revoked or expire")
}

fn forbidden() -> Finding {
    Finding::fail(codes::FORBIDDEN, "The API key may not be used for this").remedy(
        "allow the key to read models in its project, check organisation and project, and \
             whether the API is offered in this region",
    )
}

fn no_such_model() -> Finding {
    Finding::fail(
        codes::MODEL_MISSING,
        "The model does not exist, or the key may not use it",
    )
    .remedy("set the model to one that the API offers to this key")
}

fn no_such_path() -> Finding {
    Finding::fail(
        codes::ENDPOINT_MISSING,
        "The server has no OpenAI-compatible API at the base URL",
    )
    .remedy("correct the base URL; most end in /v1")
}

fn quota() -> Finding {
    Finding::fail(
        codes::INSUFFICIENT_QUOTA,
        "The quota of the API key is used up",
    )
    .remedy("raise the limit or top up the balance of the account; waiting does not help")
}

fn rate_limited() -> Finding {
    Finding::fail(codes::RATE_LIMITED, "The API limits the rate of requests")
        .remedy("wait; if it stays so, send less or ask for a higher rate limit")
}

fn server_error() -> Finding {
    Finding::fail(
        codes::SERVER_ERROR,
        "The API has an error of its own or is overloaded",
    )
    .remedy("wait, and look at the provider's status page or the server's log")
}

fn redirected() -> Finding {
    Finding::fail(
        codes::REDIRECT_REFUSED,
        "The API redirects elsewhere, where the key is not sent",
    )
    .remedy("set the base URL to the address that it redirects to, if that is trusted")
}

fn request_refused() -> Finding {
    Finding::fail(codes::REQUEST_REFUSED, "The API does not take the request")
        .remedy("see the detail in the diagnostics; the server may not be fully compatible")
}
