//! Nodes of a cluster, which a plain pool cannot use.

use deadpool_redis::redis::aio::MultiplexedConnection;
use tria_redis_check::{RedisOptions, codes};

use crate::support::{admin, assert_fails, check, options, run, server, until, verify};

const NODE: &[&str] = &["cluster-enabled yes"];

async fn is_ok(admin: &mut MultiplexedConnection, size: u32) -> bool {
    let info: String = run(admin, &["CLUSTER", "INFO"]).await;
    info.contains("cluster_state:ok") && info.contains(&format!("cluster_size:{size}"))
}

#[tokio::test]
async fn a_cluster_without_its_slots_is_down_until_it_has_them() {
    let node = server(NODE).await;
    let mut admin = admin(&node).await;
    let check = check(&options(node.port()));
    assert_fails(&verify(&check).await, codes::CLUSTER_DOWN, false);

    // A cluster of one node holds every key, and serves.
    run::<()>(&mut admin, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    until("the cluster is up", async || is_ok(&mut admin, 1).await).await;
    assert!(!verify(&check).await.is_failure());
}

#[tokio::test]
async fn one_node_of_several_is_refused_whichever_key_the_probe_draws() {
    let (one, two) = (server(NODE).await, server(NODE).await);
    let (mut admin_of_one, mut admin_of_two) = (admin(&one).await, admin(&two).await);
    run::<()>(
        &mut admin_of_one,
        &["CLUSTER", "ADDSLOTSRANGE", "0", "8191"],
    )
    .await;
    run::<()>(
        &mut admin_of_two,
        &["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"],
    )
    .await;
    run::<()>(
        &mut admin_of_two,
        &["CONFIG", "SET", "cluster-announce-ip", "127.0.0.1"],
    )
    .await;
    let port = two.port().to_string();
    run::<()>(&mut admin_of_one, &["CLUSTER", "MEET", "127.0.0.1", &port]).await;
    until("the nodes have met", async || {
        is_ok(&mut admin_of_one, 2).await
    })
    .await;

    let check = check(&options(one.port()));
    for _ in 0..8 {
        assert_fails(&verify(&check).await, codes::CLUSTER, true);
    }
}

#[tokio::test]
async fn a_cluster_has_no_numbered_databases_to_spare() {
    let node = server(NODE).await;
    let outcome = verify(&check(&RedisOptions {
        db: 5000,
        ..options(node.port())
    }))
    .await;
    let known = [codes::CLUSTER, codes::DB_OUT_OF_RANGE];
    assert!(
        known.contains(&outcome.code()) && outcome.is_permanent_failure(),
        "{outcome:?}"
    );
}
