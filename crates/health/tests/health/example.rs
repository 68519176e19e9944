//! The example, run as a user runs it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer let-me-see\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_somebody_elses_has_every_endpoint() {
    let stack = tria_devstack::shared().await.unwrap();
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("examples/axum");
    let mut child = Command::new(built)
        .env("DATABASE_URL", stack.postgres_url_admin())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches("/readyz")
        .to_owned();
    let (status, body) = get(&address, "/readyz").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &told["status"]),
        (200, &json!("healthy")),
        "{told:#}"
    );
    assert_eq!(told["services"]["oven"]["healthy"], json!(true));
    assert_eq!(told["services"]["database"]["healthy"], json!(true));
    for path in [
        "/health",
        "/livez",
        "/startupz",
        "/metrics",
        "/",
        "/readyz?fresh=1",
    ] {
        assert_eq!(get(&address, path).await.0, 200, "{path}");
    }
    let (status, body) = get(&address, "/api/v1/health/diagnostics?deep=1").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        told["observed"]["oven"]["temperature"],
        json!({"value": 240, "unit": "celsius"})
    );
    assert!(!body.contains(stack.postgres_password()));
    child.kill().unwrap();
    child.wait().unwrap();
}
