//! What most services do: axum with graceful shutdown, and nothing else. The zero-drop harness
//! restarts it beside `tria-server`, to see that it can see; the bench of the probes lets it answer
//! with the same bytes.
//!
//! `bare-axum PORT [BODY]`: with a body, every path answers with it.

#![allow(clippy::print_stdout, reason = "whoever starts it waits for the line")]

use std::error::Error;

use axum::{Json, Router, http::header, routing::get};
use serde_json::json;
use tokio::{
    net::TcpSocket,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().ok_or("a port")?.parse()?;
    let router = match arguments.next() {
        Some(body) => one_answer(body),
        None => probes(),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(1024)?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}

fn probes() -> Router {
    let health = async || Json(json!({ "status": "healthy", "services": "x".repeat(600) }));
    Router::new()
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(async || "ready"))
        .route("/health", get(health))
}

fn one_answer(body: String) -> Router {
    let handler = get(async move || {
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (headers, body.clone())
    });
    Router::new().fallback_service(handler)
}
