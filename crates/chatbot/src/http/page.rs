//! The page of the chat, for people. It needs nothing from elsewhere.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// Nothing but what this server sends, and no page of somebody else around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// `/`, and what it loads.
pub(super) fn routes() -> Router {
    Router::new()
        .route(
            "/",
            get(async || file("text/html; charset=utf-8", include_str!("page/chat.html"))),
        )
        .route(
            "/chat.css",
            get(async || file("text/css; charset=utf-8", include_str!("page/chat.css"))),
        )
        .route(
            "/chat.js",
            get(async || {
                file(
                    "text/javascript; charset=utf-8",
                    include_str!("page/chat.js"),
                )
            }),
        )
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let set = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let headers = [
        set(header::CONTENT_TYPE, kind),
        set(header::CONTENT_SECURITY_POLICY, POLICY),
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        set(header::REFERRER_POLICY, "no-referrer"),
        // A new version of the server has a new page.
        set(header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
