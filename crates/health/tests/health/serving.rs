//! Over a socket, as a probe asks.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::rig::{Rig, meta, pass};

async fn raw(port: u16, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_probe_over_a_socket_gets_head_and_get_alike() {
    let rig = Rig::of([meta("redis")]);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(axum::serve(listener, rig.router.clone()).into_future());

    let refused = raw(port, "GET", "/readyz").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    for header in ["retry-after: 1\r\n", "cache-control: no-store\r\n"] {
        assert!(refused.contains(header), "{refused}");
    }
    rig.record("redis", pass());
    for path in crate::rig::PATHS
        .iter()
        .filter(|path| !path.ends_with("diagnostics"))
    {
        let (head, get) = (raw(port, "HEAD", path).await, raw(port, "GET", path).await);
        for answer in [&head, &get] {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains("content-length: "), "{answer}");
        }
        assert!(
            head.ends_with("\r\n\r\n") && get.ends_with(['}', '>']),
            "{head}{get}"
        );
    }
    server.abort();
}
