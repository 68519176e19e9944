//! How the service ends while it is used.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use tria_tests::{DeafClient, Fixture, get};

fn address(url: &str) -> SocketAddr {
    let address = url.strip_prefix("http://").expect("a URL");
    address.parse().expect("an address")
}

/// kubernetes/kubernetes#52817: liveness stays green while it drains.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_pre_drain_it_is_alive_and_not_ready_and_sends_clients_away() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("PRE_DRAIN", "3s");
    let running = fixture.serve();
    let url = running.ready();
    running.signal("TERM");
    running.wait_for("Stopping: SIGTERM");
    for (path, status) in [("livez", 200), ("readyz", 503), ("health", 200)] {
        let answer = get(&format!("{url}/{path}")).await.expect("an answer");
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers["connection"], "close", "{path}");
    }
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_takes_its_answer_is_cut_off_and_told_of() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("DRAIN", "500ms");
    let running = fixture.serve();
    let url = running.ready();
    let _client = DeafClient::ask(address(&url)).await;
    let begun = Instant::now();
    running.signal("TERM");
    let ended = running.ended();
    let elapsed = begun.elapsed();
    ended.expect(
        1,
        &[
            "hook `http` failed to stop: 1 requests and 1 connections were cut off",
            "STOPPED with exit code 1 (SIGTERM)",
        ],
    );
    assert!(elapsed >= Duration::from_millis(500), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
}

/// tokio-rs/axum#3478: one half-sent head blocked the exit past 45 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_request_does_not_hold_up_the_end() {
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let url = running.ready();
    let mut client = TcpStream::connect(address(&url)).expect("a connection");
    client.write_all(b"GET /livez HT").expect("it is sent");
    let begun = Instant::now();
    running.signal("TERM");
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    let left = client.read(&mut [0]).expect("it is closed, not reset");
    assert_eq!(left, 0);
}
