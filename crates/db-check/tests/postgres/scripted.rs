//! Refusals that no real server can be brought to at will, by a server that speaks the protocol
//! up to them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tria_check::Retry;

use crate::support::*;

const SAID: &str = "driver text with 10.9.8.7 in it";

#[tokio::test]
async fn every_class_of_refusal_is_told_apart() {
    for (state, code, retry) in [
        ("28P01", "auth_failed", Retry::Permanent),
        ("28000", "auth_failed", Retry::Permanent),
        ("3D000", "database_missing", Retry::Permanent),
        ("42501", "permission_denied", Retry::Permanent),
        ("42P01", "table_missing", Retry::Permanent),
        ("42703", "column_missing", Retry::Permanent),
        ("25006", "read_only", Retry::Permanent),
        ("57P03", "starting_up", TRANSIENT),
        ("57P01", "server_shutdown", TRANSIENT),
        ("57P02", "server_shutdown", TRANSIENT),
        ("57014", "query_timeout", TRANSIENT),
        ("53300", "too_many_connections", TRANSIENT),
        ("53100", "disk_full", TRANSIENT),
        ("53200", "out_of_resources", TRANSIENT),
        ("08006", "connection_lost", TRANSIENT),
        ("08P01", "connection_lost", TRANSIENT),
        ("XX000", "query_failed", TRANSIENT),
    ] {
        let port = serve(move |stream| refuse(stream, state)).await;
        let url = format!("postgres://u:pl4nted@127.0.0.1:{port}/d");
        let outcome = conforms(&check(&url), &url).await;
        assert_refused(&outcome, code, retry);
        for text in texts(&outcome) {
            assert!(
                !text.contains("driver") && !text.contains("10.9.8.7"),
                "{text}"
            );
        }
        assert!(
            detail(&outcome).contains(SAID),
            "operators see what it said"
        );
    }
}

/// To the driver an HTTP server is a message that never ends; the remedy must lead to the port.
#[tokio::test]
async fn another_protocol_is_told() {
    for (said, code) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            "connection_lost",
        ),
        (b"NZ\0\0\0\x05I", "protocol_error"),
    ] {
        let port = serve(move |mut stream| async move {
            let mut request = [0; 64];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(said).await;
            let _ = stream.read(&mut request).await;
        })
        .await;
        let url = format!("postgres://u:pl4nted@127.0.0.1:{port}/d");
        let outcome = conforms(&check(&url), &url).await;
        assert_refused(&outcome, code, TRANSIENT);
        let remedy = outcome.decisive().get_remedy().unwrap();
        assert!(remedy.as_str().contains("host and port"), "{remedy}");
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once_is_lost() {
    let port = serve(|stream| async move { drop(stream) }).await;
    let url = format!("postgres://u:pl4nted@127.0.0.1:{port}/d");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "connection_lost", TRANSIENT);
}

/// Answers every connection until the test ends.
async fn serve<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    port
}

/// No TLS, then an `ErrorResponse` to the start of the session
/// (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).
async fn refuse(mut stream: TcpStream, state: &str) {
    let mut message = vec![0; 1024];
    let Ok(_ssl_request) = stream.read(&mut message).await else {
        return;
    };
    let _ = stream.write_all(b"N").await;
    let _ = stream.read(&mut message).await;
    let mut fields = Vec::new();
    for (field, value) in [
        (b'S', "FATAL"),
        (b'V', "FATAL"),
        (b'C', state),
        (b'M', SAID),
    ] {
        fields.push(field);
        fields.extend_from_slice(value.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap();
    let _ = stream.write_all(b"E").await;
    let _ = stream.write_all(&length.to_be_bytes()).await;
    let _ = stream.write_all(&fields).await;
    let _ = stream.shutdown().await;
}
