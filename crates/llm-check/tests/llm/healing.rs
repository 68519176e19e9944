//! Faults that could stay in the connections that are kept, after they are over.

use std::time::Instant;

use tokio::task::JoinSet;
use tria_devstack::{FaultProxy, Mode, ModelServer, ModelServerOptions};
use tria_llm_check::codes;

use super::*;

const CROWD: usize = 6;

/// Leaves so many connections behind, at rest.
async fn crowd(endpoint: &Endpoint, model: &str) {
    let mut runs = JoinSet::new();
    for _ in 0..CROWD {
        let check = LlmCheck::new(endpoint, model).timeout(Duration::from_secs(20));
        runs.spawn(async move { once(&check).await });
    }
    for outcome in runs.join_all().await {
        assert_passed(&outcome);
    }
}

#[tokio::test]
async fn the_connections_are_good_as_soon_as_a_fault_is_over() {
    let stack = tria_devstack::shared().await.unwrap();
    let upstream = format!("127.0.0.1:{}", stack.model_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    let base = format!("http://{}/v1", proxy.address());
    let options = EndpointOptions::new(stack.model_key()).base_url(base);
    let endpoint = options.build().unwrap();
    let check = LlmCheck::new(&endpoint, stack.chat_model()).timeout(Duration::from_secs(1));
    for fault in [
        Mode::Refuse,
        Mode::BlackHole,
        Mode::ResetMidReply,
        Mode::Garbage,
    ] {
        crowd(&endpoint, stack.chat_model()).await;
        assert!(proxy.open() >= CROWD / 2, "{} are open", proxy.open());
        proxy.set(fault).await;
        assert!(once(&check).await.is_failure(), "{fault:?}");
        proxy.set(Mode::Pass).await;
        assert_passed(&once(&check).await);
        crowd(&endpoint, stack.chat_model()).await;
    }
}

/// The connections that are kept end with the server, and nobody asks them first.
#[tokio::test]
async fn a_server_that_restarts_or_pauses_unasked_is_not_held_against_the_new_one() {
    let options = ModelServerOptions {
        api_key: Some(KEY.to_owned()),
        port: None,
    };
    let mut server = ModelServer::start(options).await.unwrap();
    let endpoint = endpoint(&server.base_url());
    let check = LlmCheck::new(&endpoint, ModelServer::CHAT_MODEL);
    crowd(&endpoint, ModelServer::CHAT_MODEL).await;
    server.restart().await.unwrap();
    assert_passed(&once(&check).await);

    crowd(&endpoint, ModelServer::CHAT_MODEL).await;
    server.pause();
    let begun = Instant::now();
    let hasty = LlmCheck::new(&endpoint, ModelServer::CHAT_MODEL).timeout(Duration::from_secs(1));
    assert_transient(&once(&hasty).await, codes::RESPONSE_TIMEOUT, None);
    assert!(begun.elapsed() < Duration::from_secs(1));
    server.resume();
    assert_passed(&once(&check).await);
}

/// At runtime, with the limits that nobody has changed.
#[tokio::test]
async fn a_silent_api_is_told_within_three_seconds() {
    let stack = tria_devstack::shared().await.unwrap();
    let upstream = format!("127.0.0.1:{}", stack.model_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    proxy.set(Mode::BlackHole).await;
    for (scheme, code) in [
        ("http", codes::RESPONSE_TIMEOUT),
        // The handshake belongs to connecting.
        ("https", codes::CONNECT_TIMEOUT),
    ] {
        let base = format!("{scheme}://{}/v1", proxy.address());
        let check = LlmCheck::new(&endpoint(&base), MODEL);
        let begun = Instant::now();
        assert_transient(&once(&check).await, code, None);
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
