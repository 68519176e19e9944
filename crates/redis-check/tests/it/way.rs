//! The way to a server.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tria_check::Status;
use tria_devstack::{FaultProxy, Mode};
use tria_redis_check::{RedisOptions, codes};

use crate::support::{admin, assert_fails, check, detail, hasty, options, run, server, verify};

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = verify(&check(&options(port))).await;
    assert_fails(&outcome, codes::CONNECT_REFUSED, false);
    assert!(detail(&outcome).starts_with(&format!("127.0.0.1:{port}: ")));
}

#[tokio::test]
async fn a_host_without_an_address_is_told() {
    // A label of 64 characters: refused without asking any name server.
    let options = RedisOptions::new(format!("{}.invalid", "a".repeat(64)), 6379);
    assert_fails(&verify(&check(&options)).await, codes::DNS_FAILED, false);
}

#[tokio::test]
async fn an_address_that_cannot_be_connected_to_is_told() {
    // A connection to a broadcast address is refused by this very machine.
    let options = RedisOptions::new("255.255.255.255", 6379);
    assert_fails(
        &verify(&check(&options)).await,
        codes::CONNECT_FAILED,
        false,
    );
}

#[tokio::test]
async fn a_server_that_hangs_times_out() {
    let redis = server(&[]).await;
    let check = check(&hasty(redis.port()));
    assert_eq!(verify(&check).await.status(), Status::Pass);
    redis.pause();
    assert_fails(&verify(&check).await, codes::CONNECT_TIMEOUT, false);
    redis.resume();
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

/// The driver's time limits are longer than the check's own here: the check keeps its deadline by
/// itself.
#[tokio::test]
async fn a_patient_pool_does_not_break_the_deadline() {
    let redis = server(&[]).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    let patient = RedisOptions {
        connect_timeout: Duration::from_secs(60),
        response_timeout: Duration::from_secs(60),
        ..options(proxy.port())
    };
    let check = check(&patient).configure(|meta| meta.timeout(Duration::from_millis(400)));
    assert_eq!(verify(&check).await.status(), Status::Pass);
    proxy.set(Mode::BlackHole).await;
    let begun = Instant::now();
    assert_fails(&verify(&check).await, codes::CONNECT_TIMEOUT, false);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_slow_answer_is_told_from_a_slow_connection() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    let check = check(&hasty(redis.port()));
    run::<()>(&mut admin, &["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    assert_fails(&verify(&check).await, codes::RESPONSE_TIMEOUT, false);
    run::<()>(&mut admin, &["CLIENT", "UNPAUSE"]).await;
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_way_that_comes_and_goes_needs_no_restart() {
    let redis = server(&[]).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    let check = check(&hasty(proxy.port()));
    for (mode, code) in [
        (Mode::Refuse, codes::CONNECT_REFUSED),
        (Mode::BlackHole, codes::CONNECT_TIMEOUT),
        (Mode::ResetMidReply, codes::CONNECTION_CLOSED),
        (Mode::Garbage, codes::NOT_REDIS),
    ] {
        proxy.set(mode).await;
        let outcome = verify(&check).await;
        assert_fails(&outcome, code, code == codes::NOT_REDIS);
        proxy.set(Mode::Pass).await;
        assert_eq!(
            verify(&check).await.status(),
            Status::Pass,
            "after {mode:?}"
        );
    }
}

#[tokio::test]
async fn latency_is_observed() {
    let redis = server(&[]).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    proxy.set(Mode::Delay(Duration::from_millis(60))).await;
    let outcome = verify(&check(&options(proxy.port()))).await;
    let Some(tria_check::PublicValue::Float(took)) = outcome.observed_value("round_trip_ms") else {
        panic!("no round trip: {outcome:?}");
    };
    assert!(
        (60.0..240.0).contains(took),
        "one round trip, not several: {took} ms"
    );
}
