//! A server that is down, wrong or broken: the real one behind a proxy that misbehaves, and
//! scripted answers where no working server gives them.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::json;
use support::{codes, detail, in_database, run, server, texts};
use tokio::net::TcpListener;
use tria_check::conformance::Kit;
use tria_check::{CheckMeta, Code, Outcome, Retry, Status};
use tria_chroma::{Auth, ChromaClient, NewCollection};
use tria_devstack::{FaultProxy, Mode};
use tria_vector_check::{CollectionSpec, VectorCheck, codes as code};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const TOKEN: &str = "hunter2-token";

fn check(url: &str) -> VectorCheck {
    let token = Auth::Bearer(SecretString::from(TOKEN));
    let chroma = ChromaClient::builder(url).auth(token).build().unwrap();
    VectorCheck::new(chroma)
        .configure(|meta| meta.timeout(Duration::from_secs(1)))
        .collections([
            CollectionSpec::new("knowledge"),
            CollectionSpec::new("products"),
        ])
        .unwrap()
}

/// For what ends at the timeout, since the kit runs a check once for each of its polls.
fn hurried(meta: CheckMeta) -> CheckMeta {
    meta.timeout(Duration::from_millis(200))
}

/// The outcome of a check that must keep the contract and fail with one finding.
async fn one_failure(check: &VectorCheck) -> Outcome {
    let outcome = Kit::new().secret(TOKEN).verify(check).await.unwrap();
    assert_eq!(outcome.findings().len(), 1, "{outcome:?}");
    assert_eq!(outcome.status(), Status::Fail);
    outcome
}

async fn expect(url: &str, code: Code, retry: Retry) -> Outcome {
    let outcome = one_failure(&check(url)).await;
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code, retry),
        "{outcome:?}"
    );
    outcome
}

async fn proxy() -> FaultProxy {
    FaultProxy::start(server().await.trim_start_matches("http://"))
        .await
        .unwrap()
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A server that answers as Chroma does, save for what is mounted with a lower priority.
async fn lookalike() -> MockServer {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let body = match request.url.path() {
            "/api/v2/heartbeat" => json!({"nanosecond heartbeat": 1}),
            "/api/v2/version" => json!("1.0.0"),
            "/api/v2/tenants/default_tenant" => json!({"name": "default_tenant"}),
            database if database.ends_with("/default_database") => {
                json!({"id": "1", "name": "default_database", "tenant": "default_tenant"})
            }
            count if count.ends_with("/count") => json!(7),
            _ => json!({"id": "2", "name": "it", "tenant": "t", "database": "d", "dimension": 3}),
        };
        ResponseTemplate::new(200).set_body_json(body)
    };
    Mock::given(any())
        .respond_with(answer)
        .with_priority(9)
        .mount(&server)
        .await;
    server
}

const WAITS: Retry = Retry::Transient(None);

#[tokio::test]
async fn stopped() {
    let mut proxy = proxy().await;
    proxy.set(Mode::Refuse).await;
    let url = format!("http://{}", proxy.address());
    let outcome = expect(&url, code::CONNECT_REFUSED, WAITS).await;
    assert_eq!(texts(&outcome), ["ChromaDB refuses connections"]);
    assert!(detail(&outcome.findings()[0]).contains(&proxy.address()));
}

#[tokio::test]
async fn silent() {
    let mut proxy = proxy().await;
    proxy.set(Mode::BlackHole).await;
    let check = check(&format!("http://{}", proxy.address())).configure(hurried);
    let outcome = one_failure(&check).await;
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::RESPONSE_TIMEOUT, WAITS)
    );
    assert!(detail(&outcome.findings()[0]).contains(&proxy.address()));
}

#[tokio::test]
async fn silent_for_longer_than_a_requests_own_timeout() {
    let mut proxy = proxy().await;
    proxy.set(Mode::BlackHole).await;
    let url = format!("http://{}", proxy.address());
    let chroma = ChromaClient::builder(&url)
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let begun = Instant::now();
    let outcome = run(&VectorCheck::new(chroma)).await;
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::RESPONSE_TIMEOUT, WAITS)
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn cut_in_the_middle_and_garbage() {
    let mut proxy = proxy().await;
    let url = format!("http://{}", proxy.address());
    proxy.set(Mode::ResetMidReply).await;
    expect(&url, code::CONNECTION_LOST, WAITS).await;
    proxy.set(Mode::Garbage).await;
    expect(&url, code::NOT_CHROMA, Retry::Permanent).await;
}

#[tokio::test]
async fn it_recovers_with_the_server() {
    in_database(|real| async move {
        let mut proxy = proxy().await;
        real.create_collection(&NewCollection::new("knowledge"))
            .await
            .unwrap();
        let url = format!("http://{}", proxy.address());
        let chroma = ChromaClient::builder(&url)
            .database(real.database())
            .build()
            .unwrap();
        let check = VectorCheck::new(chroma)
            .configure(|meta| meta.timeout(Duration::from_secs(2)))
            .collections([CollectionSpec::new("knowledge")])
            .unwrap();
        for mode in [
            Mode::Refuse,
            Mode::ResetMidReply,
            Mode::BlackHole,
            Mode::Garbage,
        ] {
            assert_eq!(run(&check).await.status(), Status::Pass, "before {mode:?}");
            proxy.set(mode).await;
            assert_eq!(run(&check).await.status(), Status::Fail, "{mode:?}");
            proxy.set(Mode::Pass).await;
        }
        // The connections that the faults left in the pool do no harm.
        assert_eq!(run(&check).await.status(), Status::Pass);
    })
    .await;
}

#[tokio::test]
async fn probing_again_opens_no_new_connections() {
    // Xabaril/AspNetCore.Diagnostics.HealthChecks#1993: a new source of connections per probe.
    in_database(|real| async move {
        let proxy = proxy().await;
        let url = format!("http://{}", proxy.address());
        let chroma = ChromaClient::builder(&url)
            .database(real.database())
            .build()
            .unwrap();
        let check = VectorCheck::new(chroma);
        run(&check).await;
        let after_first = proxy.accepted();
        for _ in 0..20 {
            assert_eq!(run(&check).await.status(), Status::Pass);
        }
        assert!(
            proxy.accepted() <= after_first + 2,
            "{after_first} {}",
            proxy.accepted()
        );
    })
    .await;
}

#[tokio::test]
async fn a_slow_server_passes_within_the_time() {
    in_database(|real| async move {
        let mut proxy = proxy().await;
        proxy.set(Mode::Delay(Duration::from_millis(50))).await;
        let url = format!("http://{}", proxy.address());
        let chroma = ChromaClient::builder(&url)
            .database(real.database())
            .build()
            .unwrap();
        let outcome = run(&VectorCheck::new(chroma)).await;
        assert_eq!(outcome.status(), Status::Pass);
        let millis = outcome
            .observed_value("response_time_ms")
            .unwrap()
            .to_string();
        assert!(millis.parse::<f64>().unwrap() >= 50.0, "{millis}");
    })
    .await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    // A label of more than 63 bytes is refused by the resolver itself; nobody is asked.
    expect(
        &format!("http://{}.test:8000", "x".repeat(64)),
        code::DNS_FAILED,
        WAITS,
    )
    .await;
}

#[tokio::test]
async fn https_where_no_tls_is_spoken() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = server().await.replace("http", "https");
    expect(&url, code::TLS_FAILED, Retry::Permanent).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_knows() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = issued.signing_key.serialize_der();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.try_into().unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _refused = acceptor.accept(stream).await;
        }
    });
    let url = format!("https://localhost:{port}");
    let outcome = expect(&url, code::TLS_FAILED, Retry::Permanent).await;
    let detail = detail(&outcome.findings()[0]);
    assert!(detail.contains("UnknownIssuer"), "{detail}");
}

#[tokio::test]
async fn only_v1() {
    // ChromaDB 0.5 and before: v1 answers, v2 is FastAPI's own 404.
    let server = MockServer::start().await;
    let beat = ResponseTemplate::new(200).set_body_json(json!({"nanosecond heartbeat": 1}));
    Mock::given(path("/api/v1/heartbeat"))
        .respond_with(beat)
        .mount(&server)
        .await;
    let outcome = expect(&server.uri(), code::SERVER_TOO_OLD, Retry::Permanent).await;
    assert_eq!(
        texts(&outcome),
        ["this ChromaDB is too old: it has only the v1 API"]
    );
}

#[tokio::test]
async fn a_retired_v1_is_told_apart_from_an_old_server() {
    // Osmantic/ODS#609: the v1 paths of a new server answer 410.
    let gone = json!({"error": "Unimplemented", "message": "The v1 API is deprecated."});
    let server = answering(ResponseTemplate::new(410).set_body_json(gone.clone())).await;
    expect(&server.uri(), code::API_RETIRED, Retry::Permanent).await;

    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(410).set_body_json(gone);
    Mock::given(path("/api/v1/heartbeat"))
        .respond_with(answer)
        .mount(&server)
        .await;
    expect(&server.uri(), code::API_RETIRED, Retry::Permanent).await;
}

#[tokio::test]
async fn something_else_answers() {
    let server = MockServer::start().await;
    expect(&server.uri(), code::NOT_CHROMA, Retry::Permanent).await;
    let server = answering(ResponseTemplate::new(200).set_body_string("<html></html>")).await;
    expect(&server.uri(), code::NOT_CHROMA, Retry::Permanent).await;
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({"status": "ok"}))).await;
    expect(&server.uri(), code::NOT_CHROMA, Retry::Permanent).await;
}

#[tokio::test]
async fn each_status_has_its_code() {
    let after = |seconds| Retry::Transient(Some(Duration::from_secs(seconds)));
    for (status, code, retry) in [
        (301, code::REDIRECTED, Retry::Permanent),
        (308, code::REDIRECTED, Retry::Permanent),
        (400, code::REQUEST_REFUSED, Retry::Permanent),
        (401, code::AUTH_FAILED, Retry::Permanent),
        (403, code::AUTH_FAILED, Retry::Permanent),
        (408, code::REQUEST_REFUSED, after(3)),
        (429, code::RATE_LIMITED, after(3)),
        (500, code::SERVER_ERROR, after(3)),
        (501, code::SERVER_ERROR, Retry::Permanent),
        (502, code::SERVER_ERROR, after(3)),
        (503, code::SERVER_ERROR, after(3)),
        (504, code::SERVER_ERROR, after(3)),
    ] {
        let answer = ResponseTemplate::new(status).insert_header("retry-after", "3");
        let server = answering(answer).await;
        expect(&server.uri(), code, retry).await;
    }
}

#[tokio::test]
async fn no_text_repeats_the_token() {
    // FerroEHR#2048: a driver's text with credentials on an open health page.
    let echo = |request: &Request| {
        let sent = format!("you sent {:?}", request.headers);
        assert!(sent.contains(TOKEN));
        match request.url.path() {
            "/api/v2/heartbeat" => {
                ResponseTemplate::new(200).set_body_json(json!({"nanosecond heartbeat": 1}))
            }
            "/api/v2/version" => ResponseTemplate::new(200).set_body_json(sent),
            "/api/v2/tenants/default_tenant" => ResponseTemplate::new(200).set_body_string(sent),
            _ => ResponseTemplate::new(400).set_body_json(json!({"error": sent, "message": sent})),
        }
    };
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(echo).mount(&server).await;
    let outcome = Kit::new()
        .secret(TOKEN)
        .verify(&check(&server.uri()))
        .await
        .unwrap();
    let expected = [
        code::VERSION_UNREADABLE,
        code::NOT_CHROMA,
        code::REQUEST_REFUSED,
    ];
    assert_eq!(codes(&outcome), expected);
    assert!(detail(&outcome.findings()[1]).contains("[redacted]"));
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_a_warning() {
    let server = lookalike().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!("<b>nightly</b>"));
    Mock::given(path("/api/v2/version"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let outcome = Kit::new().verify(&check(&server.uri())).await.unwrap();
    assert_eq!(
        (outcome.status(), outcome.code()),
        (Status::Warn, code::VERSION_UNREADABLE)
    );
    assert_eq!(
        texts(&outcome)[0],
        "ChromaDB answers, but its version cannot be read"
    );
    assert!(outcome.observed_value("server_version").is_none());
}

#[tokio::test]
async fn a_failure_that_requests_share_is_told_once() {
    let server = lookalike().await;
    let busy = ResponseTemplate::new(503);
    let collections = wiremock::matchers::path_regex("/collections/");
    Mock::given(collections)
        .respond_with(busy)
        .mount(&server)
        .await;
    let outcome = Kit::new().verify(&check(&server.uri())).await.unwrap();
    assert_eq!(codes(&outcome), [Code::OK, code::SERVER_ERROR]);
    assert_eq!(outcome.retry(), WAITS);
}

#[tokio::test]
async fn what_was_found_before_the_time_was_up_is_told() {
    let server = lookalike().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    let knowledge = wiremock::matchers::path_regex("/collections/knowledge$");
    Mock::given(knowledge)
        .respond_with(slow)
        .mount(&server)
        .await;
    let check = check(&server.uri()).configure(hurried);
    let outcome = Kit::new().verify(&check).await.unwrap();
    assert_eq!(codes(&outcome), [Code::OK, code::RESPONSE_TIMEOUT]);
    assert!(outcome.observed_value("response_time_ms").is_some());
}

#[tokio::test]
async fn a_collection_deleted_between_two_requests_is_missing() {
    let server = lookalike().await;
    let gone = json!({"error": "NotFoundError", "message": "Collection [2] does not exist"});
    let answer = ResponseTemplate::new(404).set_body_json(gone);
    Mock::given(wiremock::matchers::path_regex("/count$"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let outcome = run(&check(&server.uri())).await;
    let expected = [Code::OK, code::COLLECTION_MISSING, code::COLLECTION_MISSING];
    assert_eq!(codes(&outcome), expected);
}
