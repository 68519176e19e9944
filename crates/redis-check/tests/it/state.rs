//! Servers that answer, but not as they should.

use tempfile::TempDir;
use tokio::net::TcpListener;
use tria_check::Status;
use tria_devstack::{Redis, RedisOptions};
use tria_redis_check::codes;

use crate::support::{
    admin, assert_fails, check, codes, info, options, pool, probe, run, server, until, verify,
};

/// Osmantic/ODS#609: a server that was still loading counted as broken.
#[tokio::test]
async fn loading_is_transient_and_passes() {
    let folder = TempDir::new().unwrap();
    let dir = format!("dir \"{}\"", folder.path().display());
    let mut first = server(&[&dir]).await;
    let mut admin_of_first = admin(&first).await;
    run::<()>(
        &mut admin_of_first,
        &["DEBUG", "POPULATE", "3000", "key", "600"],
    )
    .await;
    run::<()>(&mut admin_of_first, &["SAVE"]).await;
    first.stop().await;

    // 5 ms for each of 3,000 keys, and commands are answered in between.
    let slow = [
        "key-load-delay 5000",
        "loading-process-events-interval-bytes 1024",
    ];
    let redis = Redis::start(RedisOptions {
        config: [&dir, slow[0], slow[1]].map(str::to_owned).to_vec(),
        ready_while_loading: true,
        ..Default::default()
    })
    .await
    .unwrap();
    let check = check(&options(redis.port()));
    let outcome = verify(&check).await;
    assert_fails(&outcome, codes::LOADING, false);
    assert_eq!(
        codes(&outcome),
        ["ok", "loading"],
        "the version is told all the same"
    );

    let mut admin = admin(&redis).await;
    run::<()>(&mut admin, &["CONFIG", "SET", "key-load-delay", "0"]).await;
    until("the data set is loaded", async || {
        info(&mut admin, "loading").await == "0"
    })
    .await;
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_replica_is_read_only_until_it_is_promoted() {
    let master = server(&["repl-diskless-sync-delay 0"]).await;
    let replica = server(&[&format!("replicaof 127.0.0.1 {}", master.port())]).await;
    let mut admin = admin(&replica).await;
    until("it follows", async || {
        info(&mut admin, "master_link_status").await == "up"
    })
    .await;

    let check = check(&options(replica.port()));
    assert_fails(&verify(&check).await, codes::READ_ONLY, false);
    run::<()>(&mut admin, &["REPLICAOF", "NO", "ONE"]).await;
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_replica_without_its_master_says_so() {
    // Listened on by nobody who answers: the replica waits for its master.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    run::<()>(
        &mut admin,
        &["CONFIG", "SET", "replica-serve-stale-data", "no"],
    )
    .await;
    let port = deaf.local_addr().unwrap().port().to_string();
    run::<()>(&mut admin, &["REPLICAOF", "127.0.0.1", &port]).await;
    let outcome = verify(&check(&options(redis.port()))).await;
    assert_fails(&outcome, codes::MASTER_DOWN, false);
}

#[tokio::test]
async fn a_server_that_cannot_save_says_so() {
    let folder = TempDir::new().unwrap();
    let dir = format!("dir \"{}\"", folder.path().display());
    let redis = server(&[&dir, "save 900 1"]).await;
    let mut admin = admin(&redis).await;
    let check = check(&options(redis.port()));
    assert_eq!(verify(&check).await.status(), Status::Pass);

    folder.close().unwrap();
    run::<()>(&mut admin, &["BGSAVE"]).await;
    let failed = async || info(&mut admin, "rdb_last_bgsave_status").await == "err";
    until("saving has failed", failed).await;
    let outcome = verify(&check).await;
    assert_fails(&outcome, codes::PERSISTENCE_FAILING, false);

    let go_on = ["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"];
    run::<()>(&mut admin, &go_on).await;
    let outcome = verify(&check).await;
    assert_eq!(
        codes(&outcome),
        ["ok", "ok", "save_failed"],
        "it takes writes"
    );
}

#[tokio::test]
async fn a_server_without_memory_says_so() {
    let redis = server(&["maxmemory 1"]).await;
    let outcome = verify(&check(&options(redis.port()))).await;
    assert_fails(&outcome, codes::OUT_OF_MEMORY, false);
    assert_eq!(codes(&outcome), ["ok", "out_of_memory", "memory_high"]);
}

#[tokio::test]
async fn a_master_that_wants_replicas_says_so() {
    let redis = server(&["min-replicas-to-write 1"]).await;
    let outcome = verify(&check(&options(redis.port()))).await;
    assert_fails(&outcome, codes::NO_REPLICAS, false);
}

#[tokio::test]
async fn a_server_that_runs_a_script_says_so() {
    let redis = server(&["lua-time-limit 1"]).await;
    let (mut admin, mut busy) = (admin(&redis).await, admin(&redis).await);
    let script = tokio::spawn(async move {
        let mut endless = deadpool_redis::redis::cmd("EVAL");
        endless.arg("while true do end").arg(0);
        let _killed = endless.exec_async(&mut busy).await;
    });
    let check = check(&options(redis.port()));
    until("the script runs", async || {
        probe(&check).await.status() == Status::Fail
    })
    .await;
    assert_fails(&verify(&check).await, codes::BUSY, false);
    run::<()>(&mut admin, &["SCRIPT", "KILL"]).await;
    script.await.unwrap();
    assert_eq!(verify(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_full_server_is_told_from_a_broken_one() {
    let redis = server(&["maxclients 1"]).await;
    let port = redis.port();
    // The connection that waited for the server to be ready may take a moment to be gone.
    let occupant = pool(&options(port));
    let mut held = None;
    until("the only place is taken", async || {
        held = occupant.get().await.ok();
        held.is_some()
    })
    .await;
    let check = check(&options(port));
    for _ in 0..20 {
        assert_fails(&verify(&check).await, codes::MAX_CLIENTS, false);
    }
    drop(deadpool_redis::Connection::take(held.unwrap()));
    until("a place is free", async || {
        probe(&check).await.status() == Status::Pass
    })
    .await;
}
