//! Faults that could stay in the pool after they are over.

use std::time::{Duration, Instant};

use deadpool_redis::{Connection, Pool, redis::cmd};
use tria_check::Status;
use tria_devstack::{FaultProxy, Mode};
use tria_redis_check::{RedisCheck, RedisOptions, codes};

use crate::support::{assert_fails, hasty, options, pool, probe, server};

/// Uses all connections that a pool may have.
async fn fill(pool: &Pool) {
    let mut held: Vec<Connection> = Vec::new();
    for _ in 0..pool.status().max_size {
        let mut connection = pool.get().await.unwrap();
        cmd("PING").exec_async(&mut connection).await.unwrap();
        held.push(connection);
    }
}

/// super-productivity#9599: 17 hours with a poisoned pool.
#[tokio::test]
async fn the_pool_is_whole_as_soon_as_a_fault_is_over() {
    let redis = server(&[]).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    let pool = pool(&hasty(proxy.port()));
    let check = RedisCheck::new(pool.clone());
    for fault in [
        Mode::Refuse,
        Mode::BlackHole,
        Mode::ResetMidReply,
        Mode::Garbage,
    ] {
        fill(&pool).await;
        proxy.set(fault).await;
        assert!(probe(&check).await.is_failure(), "{fault:?}");
        proxy.set(Mode::Pass).await;
        assert_eq!(probe(&check).await.status(), Status::Pass, "{fault:?}");
        fill(&pool).await;
    }
}

/// One after the other they would hold up the check, and whoever asks the pool, for as many
/// timeouts as there are connections.
#[tokio::test]
async fn connections_that_fell_silent_together_are_replaced_together() {
    let redis = server(&[]).await;
    let proxy = FaultProxy::start(redis.address()).await.unwrap();
    let limit = Duration::from_millis(400);
    let pool = pool(&RedisOptions {
        max_size: 8,
        response_timeout: limit,
        ..options(proxy.port())
    });
    let check = RedisCheck::new(pool.clone());
    fill(&pool).await;
    // What was used a moment ago is trusted; connections that nobody has used for a while are
    // those that fall silent unnoticed.
    tokio::time::sleep(limit).await;

    proxy.forget();
    let begun = Instant::now();
    assert_eq!(probe(&check).await.status(), Status::Pass);
    fill(&pool).await;
    assert!(begun.elapsed() < limit * 4, "one silence, not eight");
}

#[tokio::test]
async fn a_server_that_pauses_is_told_and_found_again() {
    let redis = server(&[]).await;
    let pool = pool(&hasty(redis.port()));
    let check = RedisCheck::new(pool.clone());
    fill(&pool).await;
    redis.pause();
    assert_fails(&probe(&check).await, codes::CONNECT_TIMEOUT, false);
    redis.resume();
    assert_eq!(probe(&check).await.status(), Status::Pass);
    fill(&pool).await;
}

/// At runtime, with the limits that nobody has changed.
#[tokio::test]
async fn a_silent_redis_is_told_within_three_seconds() {
    let redis = server(&[]).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    let options = RedisOptions::new("127.0.0.1", proxy.port());
    let check = RedisCheck::new(pool(&options)).endpoint(&options);
    for opened in [false, true] {
        if opened {
            proxy.set(Mode::Pass).await;
            assert_eq!(probe(&check).await.status(), Status::Pass);
        }
        proxy.set(Mode::BlackHole).await;
        let begun = Instant::now();
        assert_fails(&probe(&check).await, codes::CONNECT_TIMEOUT, false);
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}

/// Nobody waits for data on a connection at rest, so only the kernel can notice that its host is
/// gone, and by default it never looks.
#[tokio::test]
async fn a_connection_at_rest_is_looked_after() {
    let redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    let mut connection = pool.get().await.unwrap();
    let mut info = cmd("CLIENT");
    info.arg("INFO");
    let told: String = info.query_async(&mut connection).await.unwrap();
    let address = told
        .split_whitespace()
        .find_map(|it| it.strip_prefix("addr="));
    let (_, port) = address.unwrap().rsplit_once(':').unwrap();
    let next = tria_devstack::keepalive_in([port.parse().unwrap(), redis.port()])
        .await
        .unwrap();
    assert!(
        next.is_some_and(|next| next <= Duration::from_secs(30)),
        "{next:?}"
    );
}
