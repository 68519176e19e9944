//! The routes.

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The routes, with a problem document (RFC 9457) for what is none.
pub(crate) fn router(health: Router, chat: Router) -> Router {
    health
        .merge(chat)
        .fallback(async || {
            problem(
                StatusCode::NOT_FOUND,
                "there is nothing at this path; try /health",
            )
        })
        .method_not_allowed_fallback(async || {
            problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take this method",
            )
        })
}

fn problem(status: StatusCode, detail: &'static str) -> Response {
    let body = Json(json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "request_id": uuid::Uuid::new_v4().to_string(),
    }));
    // A prober must not be told again tomorrow what was refused today.
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}
