//! What most services do: axum with graceful shutdown, and nothing else. The zero-drop harness
//! restarts it beside `tria-server`, to see that it can see.

#![allow(clippy::print_stdout, reason = "the harness waits for the line")]

use std::error::Error;

use axum::{Json, Router, routing::get};
use serde_json::json;
use tokio::{
    net::TcpSocket,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("a port")?.parse()?;
    let health = async || Json(json!({ "status": "healthy", "services": "x".repeat(600) }));
    let router = Router::new()
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(async || "ready"))
        .route("/health", get(health));
    let mut terminate = signal(SignalKind::terminate())?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(1024)?;
    println!("listening");
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}
