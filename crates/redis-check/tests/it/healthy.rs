//! What is proven of a server that works, and what is warned about.

use std::time::Duration;

use tokio::task::JoinSet;
use tria_check::{Finding, Outcome, PublicValue, Status};
use tria_devstack::Installation;
use tria_redis_check::{RedisOptions, codes};

use crate::{
    access::grant,
    support::{admin, check, codes, info, limited, options, probe, run, server, until, verify},
};

fn texts(outcome: &Outcome) -> Vec<&str> {
    let findings = outcome.findings().iter();
    findings
        .map(|finding: &Finding| finding.text().as_str())
        .collect()
}

#[tokio::test]
async fn a_server_that_works_is_named_and_proven() {
    let redis = server(&[]).await;
    let outcome = verify(&check(&options(redis.port()))).await;

    let version = Installation::load().unwrap().redis_version().to_owned();
    let connected = [
        format!("Connected to Redis {version}"),
        format!("Connected to Valkey {version}"),
    ];
    let texts = texts(&outcome);
    assert_eq!(texts.len(), 2);
    assert!(connected.contains(&texts[0].to_owned()), "{texts:?}");
    assert_eq!(texts[1], "Read/write round trip OK");

    let seen = |name| outcome.observed_value(name).cloned();
    assert_eq!(seen("version"), Some(PublicValue::word(&version)));
    assert_eq!(seen("maxmemory_bytes"), Some(PublicValue::Int(0)));
    assert_eq!(seen("maxmemory_policy"), Some("noeviction".into()));
    assert!(matches!(
        seen("used_memory_bytes"),
        Some(PublicValue::Int(100_000..))
    ));
    assert!(matches!(
        seen("connected_clients"),
        Some(PublicValue::Int(1..))
    ));
    assert_eq!(seen("maxclients"), Some(PublicValue::Int(10_000)));
    for none in ["blocked_clients", "evicted_keys", "rejected_connections"] {
        assert_eq!(seen(none), Some(PublicValue::Int(0)), "{none}");
    }
    assert_eq!(seen("connected_replicas"), Some(PublicValue::Int(0)));
    assert_eq!(seen("role"), Some("master".into()));
    assert_eq!(seen("master_link_up"), None);
    for (name, value) in [
        ("rdb_last_save_ok", true),
        ("aof_enabled", false),
        ("aof_last_write_ok", true),
    ] {
        assert_eq!(seen(name), Some(value.into()), "{name}");
    }
    assert!(matches!(
        seen("round_trip_ms"),
        Some(PublicValue::Float(0.0..5_000.0))
    ));
    let pool = [
        "pool_size",
        "pool_checked_in",
        "pool_checked_out",
        "pool_waiting",
        "pool_max",
    ];
    let pool = pool.map(|name| seen(name).unwrap());
    assert_eq!(pool, [1, 1, 0, 0, 4].map(PublicValue::Int));
}

#[tokio::test]
async fn the_shared_server_with_a_password_and_a_numbered_database_is_proven() {
    let stack = tria_devstack::shared().await.unwrap();
    let space = stack.redis_space().await.unwrap();
    let outcome = verify(&check(&RedisOptions {
        password: Some(stack.redis_password().into()),
        db: space.database,
        ..RedisOptions::new(space.host.clone(), space.port)
    }))
    .await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
}

/// Xabaril/AspNetCore.Diagnostics.HealthChecks#1993: a connection leaked with every probe.
#[tokio::test]
async fn two_hundred_probes_leak_neither_connection_nor_key() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    let check = check(&options(redis.port()));
    let clients = async |admin: &mut _| {
        run::<String>(admin, &["CLIENT", "LIST"])
            .await
            .lines()
            .count()
    };

    run::<()>(&mut admin, &["SET", "of-the-application", "1"]).await;
    let before = clients(&mut admin).await;
    let received = info(&mut admin, "total_connections_received").await;
    for _ in 0..200 {
        assert_eq!(probe(&check).await.status(), Status::Pass);
    }
    assert_eq!(
        clients(&mut admin).await,
        before + 1,
        "one connection, kept in the pool"
    );
    let opened = info(&mut admin, "total_connections_received")
        .await
        .parse::<u32>()
        .unwrap()
        - received.parse::<u32>().unwrap();
    assert_eq!(opened, 1, "nor was one opened and closed again");
    assert_eq!(run::<u32>(&mut admin, &["DBSIZE"]).await, 1);

    drop(check);
    until("the pool's connection is closed", async || {
        clients(&mut admin).await == before
    })
    .await;
}

#[tokio::test]
async fn parallel_probes_never_meet() {
    let redis = server(&[]).await;
    let mut probes = JoinSet::new();
    for _ in 0..16 {
        let check = check(&options(redis.port()));
        probes.spawn(async move { probe(&check).await });
    }
    for outcome in probes.join_all().await {
        assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
    }
    assert_eq!(run::<u32>(&mut admin(&redis).await, &["DBSIZE"]).await, 0);
}

#[tokio::test]
async fn a_key_that_cannot_be_deleted_is_gone_soon() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    grant(&mut admin, "~* +@all -del").await;
    let check = check(&limited(redis.port())).key_expiry(Duration::from_millis(300));

    let outcome = probe(&check).await;
    assert_eq!(outcome.code(), codes::PERMISSION_DENIED);
    let keys: Vec<String> = run(&mut admin, &["KEYS", "*"]).await;
    assert!(
        keys.len() == 1 && keys[0].starts_with("tria:probe:"),
        "{keys:?}"
    );
    until("the key has expired", async || {
        run::<u32>(&mut admin, &["EXISTS", &keys[0]]).await == 0
    })
    .await;
}

/// spring-projects/spring-data-redis#2582, bitnami/charts#6685: a probe that needed INFO failed
/// under an ACL that forbids it.
#[tokio::test]
async fn info_may_be_forbidden() {
    let redis = server(&[]).await;
    grant(
        &mut admin(&redis).await,
        "~tria:probe:* +ping +unwatch +set +get +del",
    )
    .await;

    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_eq!(codes(&outcome), ["ok", "ok"], "{outcome:?}");
    assert_eq!(outcome.observed_value("used_memory_bytes"), None);
    // HELLO is allowed to everybody, and tells the version.
    let version = Installation::load().unwrap().redis_version().to_owned();
    assert_eq!(
        outcome.observed_value("version"),
        Some(&PublicValue::word(&version))
    );
}

#[tokio::test]
async fn a_user_with_keys_of_its_own_gives_the_probe_a_prefix() {
    let redis = server(&[]).await;
    grant(&mut admin(&redis).await, "~shop:* +@all").await;
    let check = check(&limited(redis.port())).key_prefix("shop:probe:");
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_policy_that_may_drop_keys_is_warned_about_where_it_can_act() {
    let redis = server(&["maxmemory-policy volatile-ttl"]).await;
    let mut admin = admin(&redis).await;
    let check = check(&options(redis.port()));

    assert_eq!(
        codes(&probe(&check).await),
        ["ok", "ok"],
        "without maxmemory nothing is evicted"
    );
    run::<()>(&mut admin, &["CONFIG", "SET", "maxmemory", "200mb"]).await;
    let outcome = verify(&check).await;
    assert_eq!(codes(&outcome), ["ok", "ok", "eviction_policy"]);
    assert!(
        outcome.text().as_str().ends_with("(volatile-ttl)"),
        "{outcome:?}"
    );
    run::<()>(
        &mut admin,
        &["CONFIG", "SET", "maxmemory-policy", "noeviction"],
    )
    .await;
    assert_eq!(codes(&probe(&check).await), ["ok", "ok"]);
}

#[tokio::test]
async fn keys_that_were_dropped_are_warned_about() {
    let redis = server(&["maxmemory-policy allkeys-random"]).await;
    let mut admin = admin(&redis).await;
    run::<()>(&mut admin, &["DEBUG", "POPULATE", "20000", "key", "2000"]).await;
    let used: u64 = info(&mut admin, "used_memory").await.parse().unwrap();
    let most = (used / 2).to_string();
    run::<()>(&mut admin, &["CONFIG", "SET", "maxmemory", &most]).await;
    until("keys were dropped", async || {
        info(&mut admin, "evicted_keys").await != "0"
    })
    .await;
    let outcome = probe(&check(&options(redis.port()))).await;
    let codes = codes(&outcome);
    assert!(codes.contains(&"evicting"), "{outcome:?}");
    assert!(!codes.contains(&"eviction_policy"), "said once");
    assert_eq!(outcome.status(), Status::Warn);
}

#[tokio::test]
async fn memory_that_is_nearly_used_up_is_warned_about() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    // So much that what the probe itself needs does not count.
    run::<()>(&mut admin, &["DEBUG", "POPULATE", "10000", "key", "2000"]).await;
    let used: u64 = info(&mut admin, "used_memory").await.parse().unwrap();
    let most = (used * 100 / 95).to_string();
    run::<()>(&mut admin, &["CONFIG", "SET", "maxmemory", &most]).await;

    let outcome = verify(&check(&options(redis.port()))).await;
    assert_eq!(codes(&outcome), ["ok", "ok", "memory_high"], "{outcome:?}");
}
