//! What a server that is down, wrong or broken looks like. Nothing here is a working server.
#![allow(clippy::unwrap_used)]

mod credentials;

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tria_chroma::{Auth, ChromaClient, ClientBuilder, Error, NewCollection};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const BODY: &str = "the body of the answer is not what chromadb sends";
const V1_IS_GONE: &str = "The v1 API is deprecated. Please use /v2 apis";

fn client(url: &str) -> ChromaClient {
    build(ChromaClient::builder(url))
}

fn build(builder: ClientBuilder) -> ChromaClient {
    builder.timeout(Duration::from_millis(500)).build().unwrap()
}

/// A server that does one thing with each connection.
async fn tcp_server<F: Future<Output = ()> + Send>(
    each: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            each(stream).await;
        }
    });
    format!("http://{address}")
}

async fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    tcp_server(move |mut stream| {
        let answer = answer.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&answer).await;
        }
    })
    .await
}

async fn mock(when: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(when))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

fn heartbeat_body() -> serde_json::Value {
    json!({"nanosecond heartbeat": 1_795_445_787_391_640_010_u64})
}

#[tokio::test]
async fn refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).heartbeat().await.unwrap_err();
    assert!(
        matches!(error, Error::Connect(_)) && error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    // A label of more than 63 bytes is refused by the resolver itself; nobody is asked.
    let url = format!("http://{}.test:8000", "x".repeat(64));
    let error = client(&url).heartbeat().await.unwrap_err();
    assert!(
        matches!(error, Error::Dns(_)) && error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_ends_at_the_timeout_of_the_request() {
    let held = tcp_server(|stream| async move {
        tokio::spawn(async move {
            let _keep = stream;
            std::future::pending::<()>().await;
        });
    })
    .await;
    let own = client(&held);
    let injected = build(
        ChromaClient::builder(&held).http_client(
            reqwest::Client::builder()
                .tls_backend_preconfigured(no_tls())
                .no_proxy()
                .build()
                .unwrap(),
        ),
    );
    for chroma in [own, injected] {
        let begun = Instant::now();
        let error = chroma.heartbeat().await.unwrap_err();
        assert!(
            matches!(error, Error::Timeout(_)) && error.is_transient(),
            "{error:?}"
        );
        assert!(begun.elapsed() >= Duration::from_millis(500));
    }
}

fn no_tls() -> rustls::ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

#[tokio::test]
async fn a_body_that_never_ends_ends_at_the_timeout() {
    let url = tcp_server(|mut stream| async move {
        tokio::spawn(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[";
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending::<()>().await;
        });
    })
    .await;
    let error = client(&url).version().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error:?}");
}

#[tokio::test]
async fn https_where_no_tls_is_spoken() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = answering("HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .replace("http", "https");
    let error = client(&url).heartbeat().await.unwrap_err();
    assert!(
        matches!(error, Error::Tls(_)) && !error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_does_not_speak_http() {
    let redis = answering("-ERR wrong number of arguments for 'get' command\r\n").await;
    let tls_alert = answering([21, 3, 3, 0, 2, 2, 50]).await;
    for url in [redis, tls_alert] {
        let error = client(&url).heartbeat().await.unwrap_err();
        assert!(
            matches!(error, Error::NotHttp(_)) && !error.is_transient(),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let at_once = tcp_server(|stream| async { drop(stream) }).await;
    let in_the_head = answering("HTTP/1.1 200 OK\r\ncontent-le").await;
    let in_the_body = answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"nano").await;
    for url in [at_once, in_the_head, in_the_body] {
        let error = client(&url).heartbeat().await.unwrap_err();
        assert!(
            matches!(error, Error::Interrupted(_)) && error.is_transient(),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_server_error_with_and_without_chromas_form() {
    let named = json!({"error": "InternalError", "message": "log is full"});
    let answer = ResponseTemplate::new(500).set_body_json(named);
    let server = mock("/api/v2/version", answer).await;
    let error = client(&server.uri()).version().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "chromadb answered 500 InternalError: log is full"
    );
    assert!(error.is_transient());

    let answer = ResponseTemplate::new(503)
        .insert_header("retry-after", "7")
        .set_body_string("<html>secret upstream 10.0.0.7</html>");
    let server = mock("/api/v2/version", answer).await;
    let error = client(&server.uri()).version().await.unwrap_err();
    let Error::Status {
        status: 503,
        name: None,
        ref message,
        retry_after,
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (message.as_str(), retry_after),
        ("", Some(Duration::from_secs(7)))
    );
    assert!(!format!("{error} {error:?}").contains("upstream"));
}

#[tokio::test]
async fn a_404_of_something_else_is_no_missing_collection() {
    let server = MockServer::start().await;
    let error = client(&server.uri())
        .get_collection("boxes")
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Status {
                status: 404,
                name: None,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!error.is_not_found());
}

#[tokio::test]
async fn success_that_is_not_chromas_is_no_success() {
    // The reader's own error would be: invalid type: string "hunter2".
    let json = ResponseTemplate::new(200).set_body_json(json!({"max_batch_size": "hunter2"}));
    let server = mock("/api/v2/pre-flight-checks", json).await;
    let error = client(&server.uri()).pre_flight().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{BODY}: its json has another shape")
    );
    let chain = format!("{error:?} {:?}", std::error::Error::source(&error));
    assert!(!chain.contains("hunter2"), "{chain}");

    let html = ResponseTemplate::new(200).set_body_string("<html>token=hunter2</html>");
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(html)
        .mount(&server)
        .await;
    let chroma = client(&server.uri());
    for error in [
        chroma.heartbeat().await.unwrap_err(),
        chroma.version().await.unwrap_err(),
        chroma.healthcheck().await.unwrap_err(),
        chroma.create_tenant("tenant").await.unwrap_err(),
        chroma.delete_collection("boxes").await.unwrap_err(),
        chroma
            .create_collection(&NewCollection::new("boxes"))
            .await
            .unwrap_err(),
    ] {
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let Error::UnexpectedBody {
            status: 200,
            excerpt,
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(excerpt.as_str(), "<html>token=hunter2</html>");
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_so() {
    let body = json!({"is_executor_ready": true, "is_log_client_ready": false});
    let answer = ResponseTemplate::new(503).set_body_json(body);
    let server = mock("/api/v2/healthcheck", answer).await;
    assert!(
        !client(&server.uri())
            .healthcheck()
            .await
            .unwrap()
            .is_ready()
    );

    let server = mock("/api/v2/healthcheck", ResponseTemplate::new(503)).await;
    let error = client(&server.uri()).healthcheck().await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 503, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_with_only_v1_is_too_old() {
    // ChromaDB 0.5 and before: FastAPI's own 404 for the v2 path.
    let answer = ResponseTemplate::new(200).set_body_json(heartbeat_body());
    let server = mock("/api/v1/heartbeat", answer).await;
    for status in [404, 405] {
        let missing = ResponseTemplate::new(status).set_body_json(json!({"detail": "Not Found"}));
        let v2 = Mock::given(path("/api/v2/heartbeat")).respond_with(missing);
        let _v2 = server.register_as_scoped(v2).await;
        let error = client(&server.uri()).heartbeat().await.unwrap_err();
        assert!(
            matches!(error, Error::ServerTooOld) && !error.is_transient(),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_retired_v1_is_no_old_server() {
    // Osmantic/ODS#609: v1 paths of a new server answer 410.
    let gone = json!({"error": "Unimplemented", "message": V1_IS_GONE});
    let answer = ResponseTemplate::new(410).set_body_json(gone);
    let server = mock("/api/v1/heartbeat", answer.clone()).await;
    let error = client(&server.uri()).heartbeat().await.unwrap_err();
    assert!(
        matches!(error, Error::Retired) && !error.is_transient(),
        "{error:?}"
    );

    // A proxy that rewrites v2 to v1.
    let server = mock("/api/v2/heartbeat", answer).await;
    let error = client(&server.uri()).heartbeat().await.unwrap_err();
    assert!(matches!(error, Error::Retired), "{error:?}");
}

#[tokio::test]
async fn neither_v1_nor_v2_is_no_chroma() {
    let server = MockServer::start().await;
    let error = client(&server.uri()).heartbeat().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Status {
                status: 404,
                name: None,
                ..
            }
        ),
        "{error:?}"
    );

    // Down in between: nothing was learnt, so that waiting may help.
    let server = mock("/api/v1/heartbeat", ResponseTemplate::new(503)).await;
    assert!(
        client(&server.uri())
            .heartbeat()
            .await
            .unwrap_err()
            .is_transient()
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    let server = mock("/api/v2/version", answer).await;
    Mock::given(path("/elsewhere"))
        .respond_with(ResponseTemplate::new(200).set_body_json("1.0.0"))
        .expect(0)
        .mount(&server)
        .await;
    let error = client(&server.uri()).version().await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 302, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn columns_of_different_lengths_are_refused() {
    let server = MockServer::start().await;
    let answer = json!({"ids": ["a", "b"], "documents": ["only one"], "include": ["documents"]});
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    let get = tria_chroma::Get::all();
    let error = client(&server.uri())
        .get(&"id".to_owned().into(), &get)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UnexpectedBody { .. }), "{error:?}");
}

#[tokio::test]
async fn an_error_names_no_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/inner-path", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).get_tenant("private-tenant").await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("private-tenant") && !shown.contains("inner-path"),
        "{shown}"
    );
}
