//! The listener and its routes.

use std::{io, net::SocketAddr};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

/// Connections that may wait to be accepted. The runtime's default of 128 overflows when many
/// clients reconnect at once.
const BACKLOG: u32 = 1024;

/// Binds the listener, before anything else is started, so that probes see progress instead of a
/// refused connection.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `drain` is cancelled, and then until the last request in flight is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    drain: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(drain.cancelled_owned())
        .await
}

/// The routes, with a problem document (RFC 9457) for what is none.
pub(crate) fn router(health: Router) -> Router {
    health
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
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body,
    )
        .into_response()
}
