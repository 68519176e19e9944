//! The pool: busy, broken, healing, and what it must not show.

use std::{
    fs,
    time::{Duration, Instant},
};

use deadpool_redis::{Connection, Manager, Pool, PoolConfig, redis::cmd};
use tempfile::TempDir;
use tria_check::{PublicValue, Status};
use tria_redis_check::{BuildPoolError, RedisCheck, RedisOptions, build_pool, codes};

use crate::support::{
    PASSWORD, admin, assert_fails, check, codes, hasty, options, pool, probe, run, server, verify,
};

async fn all_of(pool: &Pool) -> Vec<Connection> {
    let mut held = Vec::new();
    for _ in 0..pool.status().max_size {
        held.push(pool.get().await.unwrap());
    }
    held
}

/// PostHog/posthog#46457: the probe queued behind traffic, and all replicas went unready.
#[tokio::test]
async fn a_busy_pool_is_not_a_broken_redis() {
    let redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    let check = RedisCheck::new(pool.clone()).patience(Duration::from_millis(50));
    let held = all_of(&pool).await;

    let outcome = verify(&check).await;
    assert_eq!(codes(&outcome), ["pool_busy"]);
    assert_eq!(outcome.status(), Status::Warn);
    assert_eq!(
        outcome.observed_value("pool_checked_out"),
        Some(&PublicValue::Int(4))
    );

    let begun = Instant::now();
    let _busy = probe(&check).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it does not queue for its whole budget"
    );

    drop(held);
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_probe_pool_proves_redis_while_the_application_is_busy() {
    let mut redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    let spare = build_pool(&RedisOptions {
        max_size: 1,
        ..options(redis.port())
    })
    .unwrap();
    let check = RedisCheck::new(pool.clone())
        .probe_pool(spare.clone())
        .patience(Duration::from_millis(20));
    let held = all_of(&pool).await;

    let outcome = verify(&check).await;
    assert_eq!(codes(&outcome), ["ok", "ok", "pool_busy"]);
    redis.stop().await;
    let outcome = verify(&check).await;
    assert_fails(&outcome, codes::CONNECT_REFUSED, false);
    assert_eq!(
        codes(&outcome),
        ["connect_refused", "pool_busy"],
        "down, and told so"
    );

    redis.restart().await.unwrap();
    drop(held);
    assert_eq!(codes(&verify(&check).await), ["ok", "ok"]);
}

#[tokio::test]
async fn the_probe_pool_stays_unused_while_the_other_is_free() {
    let redis = server(&[]).await;
    let spare = pool(&options(redis.port()));
    let check = check(&options(redis.port())).probe_pool(spare.clone());
    assert_eq!(verify(&check).await.status(), Status::Pass);
    assert_eq!(spare.status().size, 0);
}

/// super-productivity#9599: 17 hours with a poisoned pool.
#[tokio::test]
async fn the_pool_heals_after_a_restart() {
    let mut redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    drop(all_of(&pool).await);
    assert_eq!(pool.status().available, 4);
    let check = RedisCheck::new(pool.clone());

    redis.stop().await;
    assert_fails(&verify(&check).await, codes::CONNECT_REFUSED, false);
    redis.restart().await.unwrap();
    assert_eq!(verify(&check).await.status(), Status::Pass);
    for mut connection in all_of(&pool).await {
        cmd("PING").exec_async(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_broken_connection_is_not_handed_out_again() {
    let redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    drop(all_of(&pool).await);
    let killed: u32 = run(
        &mut admin(&redis).await,
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    )
    .await;
    assert_eq!(killed, 4);
    for mut connection in all_of(&pool).await {
        cmd("PING").exec_async(&mut connection).await.unwrap();
    }
}

/// A request that was given up must not leave its answer to the next user of the connection.
#[tokio::test]
async fn an_abandoned_request_does_not_mix_up_answers() {
    let redis = server(&[]).await;
    let pool = pool(&RedisOptions {
        max_size: 1,
        ..options(redis.port())
    });
    for round in 0..50 {
        let mut connection = pool.get().await.unwrap();
        let mut slow = cmd("ECHO");
        slow.arg("of the one before");
        let abandoned = slow.query_async::<String>(&mut connection);
        let _ = tokio::time::timeout(Duration::ZERO, abandoned).await;
        drop(connection);
        let mut connection = pool.get().await.unwrap();
        let answer: u32 = cmd("ECHO")
            .arg(round)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(answer, round);
    }
}

#[tokio::test]
async fn a_closed_pool_is_told() {
    let redis = server(&[]).await;
    let pool = pool(&options(redis.port()));
    let check = RedisCheck::new(pool.clone());
    assert_eq!(verify(&check).await.status(), Status::Pass);
    pool.close();
    assert_fails(&verify(&check).await, codes::POOL_CLOSED, true);
}

#[tokio::test]
async fn a_pool_without_a_runtime_can_be_checked() {
    let redis = server(&[]).await;
    let manager = Manager::new(format!("redis://127.0.0.1:{}", redis.port())).unwrap();
    let pool: Pool = Pool::builder(manager)
        .config(PoolConfig::new(1))
        .build()
        .unwrap();
    let check = RedisCheck::new(pool.clone());
    assert_eq!(verify(&check).await.status(), Status::Pass);
    let _held = pool.get().await.unwrap();
    assert_eq!(codes(&verify(&check).await), ["pool_busy"]);
}

#[tokio::test]
async fn no_debug_shows_the_password() {
    let password = Some(PASSWORD.into());
    let options = RedisOptions {
        password,
        ..hasty(1)
    };
    let pool = pool(&options);
    let check = RedisCheck::new(pool.clone()).probe_pool(pool.clone());
    for text in [
        format!("{options:?}"),
        format!("{pool:?}"),
        format!("{check:?}"),
    ] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn authorities_are_judged_when_the_pool_is_built() {
    let folder = TempDir::new().unwrap();
    let build = |name: &str| {
        let ca_file = Some(folder.path().join(name));
        build_pool(&RedisOptions {
            tls: true,
            ca_file,
            ..options(1)
        })
        .map(|_| ())
    };
    let missing = build("missing.pem");
    assert!(
        matches!(missing, Err(BuildPoolError::ReadAuthorities { .. })),
        "{missing:?}"
    );
    fs::write(folder.path().join("empty.pem"), "# no certificate\n").unwrap();
    let empty = build("empty.pem");
    assert!(
        matches!(empty, Err(BuildPoolError::NoAuthority { .. })),
        "{empty:?}"
    );
    let torn = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    fs::write(folder.path().join("torn.pem"), torn).unwrap();
    let torn = build("torn.pem");
    assert!(
        matches!(torn, Err(BuildPoolError::InvalidAuthorities { .. })),
        "{torn:?}"
    );
}
