//! Refusals, as problem documents (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A problem of no special type.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: Option<&'static str>,
    status: u16,
    detail: &'static str,
    request_id: String,
}

/// The answer to whoever may not ask for this.
pub(crate) fn unauthorized(detail: &'static str) -> Response {
    let mut response = problem(StatusCode::UNAUTHORIZED, detail);
    let challenge = HeaderValue::from_static("Bearer realm=\"diagnostics\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// The answer where checks cannot be run on demand.
pub(crate) fn cannot_run() -> Response {
    let detail = "this service does not run checks on demand";
    problem(StatusCode::NOT_IMPLEMENTED, detail)
}

fn problem(status: StatusCode, detail: &'static str) -> Response {
    let body = Json(Problem {
        r#type: "about:blank",
        title: status.canonical_reason(),
        status: status.as_u16(),
        detail,
        request_id: format!("{:032x}", fastrand::u128(..)),
    });
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content_type, body).into_response()
}
