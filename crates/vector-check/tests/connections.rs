//! Connections: kept ones that must not outlive a fault, and new ones that must still work.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::json;
use support::{once, run, server, texts};
use tokio::task::JoinSet;
use tria_check::conformance::Kit;
use tria_check::{Check, Cost, Criticality, Group, Retry, Status};
use tria_chroma::{Auth, ChromaClient, ClientBuilder};
use tria_devstack::{Chroma, ChromaOptions, FaultProxy, Mode};
use tria_vector_check::{LoginCheck, VectorCheck, codes as code};
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "hunter2-token";
const CROWD: usize = 6;
const WAITS: Retry = Retry::Transient(None);

async fn proxy() -> FaultProxy {
    FaultProxy::start(server().await.trim_start_matches("http://"))
        .await
        .unwrap()
}

fn client(url: &str) -> ClientBuilder {
    let token = Auth::Bearer(SecretString::from(TOKEN));
    ChromaClient::builder(url).auth(token)
}

fn login(builder: ClientBuilder) -> LoginCheck {
    LoginCheck::new(builder.keep_connections(false).build().unwrap())
        .configure(|meta| meta.timeout(Duration::from_secs(1)))
}

/// Leaves so many connections behind, at rest.
async fn crowd(chroma: &ChromaClient) {
    let mut runs = JoinSet::new();
    for _ in 0..CROWD {
        let chroma = chroma.clone();
        runs.spawn(async move { chroma.heartbeat().await.unwrap() });
    }
    runs.join_all().await;
}

#[tokio::test]
async fn the_connections_are_good_as_soon_as_a_fault_is_over() {
    let mut proxy = proxy().await;
    let chroma = client(&format!("http://{}", proxy.address()))
        .build()
        .unwrap();
    let check =
        VectorCheck::new(chroma.clone()).configure(|meta| meta.timeout(Duration::from_secs(1)));
    for fault in [
        Mode::Refuse,
        Mode::BlackHole,
        Mode::ResetMidReply,
        Mode::Garbage,
    ] {
        crowd(&chroma).await;
        proxy.set(fault).await;
        assert!(run(&check).await.is_failure(), "{fault:?}");
        proxy.set(Mode::Pass).await;
        assert_eq!(run(&check).await.status(), Status::Pass, "after {fault:?}");
        crowd(&chroma).await;
    }
}

/// The connections that are kept end with the server, and nobody asks them first.
#[tokio::test]
async fn a_server_that_restarts_or_pauses_unasked_is_not_held_against_the_new_one() {
    let mut server = Chroma::start(ChromaOptions::default()).await.unwrap();
    let chroma = ChromaClient::new(&server.url()).unwrap();
    let check = VectorCheck::new(chroma.clone());
    crowd(&chroma).await;
    server.restart().await.unwrap();
    let outcome = run(&check).await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");

    crowd(&chroma).await;
    server.pause();
    let hasty =
        VectorCheck::new(chroma.clone()).configure(|meta| meta.timeout(Duration::from_millis(500)));
    let outcome = run(&hasty).await;
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::RESPONSE_TIMEOUT, WAITS)
    );
    server.resume();
    let outcome = run(&check).await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
}

/// At runtime, with the limits that nobody has changed.
#[tokio::test]
async fn a_silent_chroma_is_told_within_three_seconds() {
    let mut proxy = proxy().await;
    let url = format!("http://{}", proxy.address());
    let check = VectorCheck::new(ChromaClient::new(&url).unwrap());
    for opened in [false, true] {
        if opened {
            proxy.set(Mode::Pass).await;
            assert_eq!(run(&check).await.status(), Status::Pass);
        }
        proxy.set(Mode::BlackHole).await;
        let begun = Instant::now();
        let outcome = run(&check).await;
        assert_eq!(
            (outcome.code(), outcome.retry()),
            (code::RESPONSE_TIMEOUT, WAITS)
        );
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}

/// Connecting takes the handshake with it, and has a limit below that of the check.
#[tokio::test]
async fn a_silent_handshake_is_told_from_a_silent_answer() {
    let mut proxy = proxy().await;
    proxy.set(Mode::BlackHole).await;
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let url = format!("https://{}", proxy.address());
    let check = VectorCheck::new(ChromaClient::new(&url).unwrap());
    let begun = Instant::now();
    let outcome = run(&check).await;
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::CONNECT_TIMEOUT, WAITS)
    );
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_login_degrades_readiness_and_is_asked_once_a_minute_at_most() {
    let login = login(client("http://127.0.0.1:1"));
    let meta = login.meta();
    assert_eq!(meta.name(), "chromadb.login");
    assert!(meta.is_in(Group::Readiness) && meta.is_in(Group::Diagnostics));
    assert!(!meta.is_in(Group::Startup) && !meta.is_in(Group::Liveness));
    assert_eq!(meta.get_criticality(), Criticality::Optional);
    assert_eq!(meta.get_cost(), Cost::Metered);
    assert_eq!(meta.effective_period(), Duration::from_secs(60));
}

#[tokio::test]
async fn every_login_opens_a_connection_and_keeps_none() {
    let mut proxy = proxy().await;
    let login = login(client(&format!("http://{}", proxy.address())));
    for opened in 1..4 {
        let outcome = once(&login).await;
        assert_eq!(texts(&outcome), ["A new connection to ChromaDB works"]);
        assert_eq!(proxy.accepted(), opened);
    }
    let kit = Kit::new().secret(TOKEN);
    for (mode, code) in [
        (Mode::Refuse, code::CONNECT_REFUSED),
        (Mode::ResetMidReply, code::CONNECTION_LOST),
        (Mode::Garbage, code::NOT_CHROMA),
    ] {
        proxy.set(mode).await;
        let outcome = kit.verify(&login).await.unwrap();
        assert_eq!((outcome.status(), outcome.code()), (Status::Fail, code));
    }
    let hasty = login.configure(|meta| meta.timeout(Duration::from_millis(300)));
    proxy.set(Mode::BlackHole).await;
    let outcome = kit.verify(&hasty).await.unwrap();
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::RESPONSE_TIMEOUT, WAITS)
    );
}

/// What is missing there is for the main check to say.
#[tokio::test]
async fn a_database_that_is_missing_is_no_matter_of_the_login() {
    let login = login(client(&server().await).database("no-such-database"));
    let outcome = Kit::new().secret(TOKEN).verify(&login).await.unwrap();
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
}

/// `ChromaDB` itself asks for no token; a proxy in front of it does, and may be told another one.
#[tokio::test]
async fn a_changed_token_is_found() {
    let gate = MockServer::start().await;
    let body = json!({"id": "1", "name": "default_database", "tenant": "default_tenant"});
    let let_in = Mock::given(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .with_priority(1)
        .mount_as_scoped(&gate)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401))
        .mount(&gate)
        .await;
    let login = login(client(&gate.uri()));
    let kit = Kit::new().secret(TOKEN);
    assert_eq!(kit.verify(&login).await.unwrap().status(), Status::Pass);
    drop(let_in);
    let outcome = kit.verify(&login).await.unwrap();
    assert_eq!(
        (outcome.code(), outcome.retry()),
        (code::AUTH_FAILED, Retry::Permanent)
    );
}
