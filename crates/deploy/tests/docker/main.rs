//! Whole deployments on a real container engine.
//!
//! They need one, where `DOCKER_HOST` says or behind `/var/run/docker.sock`, the images `caddy:2` and
//! `postgres:17`, and some an ssh server; so `cargo xtask test --deploy` runs them.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what was measured is told"
)]

mod afar;
mod rig;
#[path = "../remote/sshd.rs"]
#[allow(dead_code, reason = "another test uses all of it")]
mod sshd;

use std::time::Instant;

use tria_deploy::{Outcome, Phase, backup, make_backup, preview_restore, restore_backup, rollback};

use rig::Rig;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine"]
async fn deployments_of_every_kind_and_nobody_is_refused() {
    let rig = Rig::new("e2e").await;

    let started = Instant::now();
    assert_eq!(rig.deploy("one").await, Outcome::Done { release: Some(1) });
    println!("first: {:?}", started.elapsed());
    let visitors = rig.visitors();

    let started = Instant::now();
    assert_eq!(rig.deploy("one").await, Outcome::Unchanged);
    println!("unchanged: {:?}", started.elapsed());
    assert!(started.elapsed().as_secs() < 10);

    let started = Instant::now();
    assert_eq!(rig.deploy("two").await, Outcome::Done { release: Some(2) });
    println!("second: {:?}", started.elapsed());

    rig.with_file("crash", "");
    let outcome = rig.deploy("three").await;
    rig.without_file("crash");
    rig.assert_failed(&outcome, Phase::Startup, "container_ended");

    rig.with_file("fail-migrate", "");
    let outcome = rig.deploy("four").await;
    rig.without_file("fail-migrate");
    rig.assert_failed(&outcome, Phase::Startup, "migration");

    rig.with_file("more.caddy", "respond /livez gone 500\n");
    let outcome = rig.deploy("five").await;
    rig.without_file("more.caddy");
    rig.assert_failed(&outcome, Phase::Switch, "integration");

    // Well by itself, and not for those who come through the door.
    let door = "@door {\n\theader X-Forwarded-For *\n\tpath /livez\n}\nrespond @door gone 500\n";
    rig.with_file("more.caddy", door);
    let outcome = rig.deploy("six").await;
    rig.without_file("more.caddy");
    assert!(matches!(outcome, Outcome::RolledBack { .. }), "{outcome:?}");

    let started = Instant::now();
    let desired = rig.desired("two");
    let ground = rig.ground();
    let outcome = ground
        .run(async |ground| rollback(ground, &desired, false).await)
        .await;
    println!("rollback: {:?}", started.elapsed());
    assert_eq!(outcome, Outcome::Done { release: Some(1) });

    let (asked, refused) = visitors.count().await;
    println!("{asked} requests, {refused} failed");
    assert!(asked > 100);
    assert_eq!(refused, 0);

    rig.assert_no_secret_anywhere().await;
    let manifests = backup::backups(&rig.store).await.unwrap();
    assert!(manifests.iter().all(|manifest| manifest.proven.is_some()));
    rig.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine"]
async fn a_backup_brings_back_every_row() {
    let rig = Rig::new("backup").await;
    assert_eq!(rig.deploy("one").await, Outcome::Done { release: Some(1) });
    let rows = "create table orders(id int primary key, what text); insert into orders select n, 'pizza box ' || n from generate_series(1, 1000) n";
    rig.sql(rows).await;
    let before = rig
        .sql("select md5(string_agg(o::text, ',' order by id)) from orders o")
        .await;
    let desired = rig.desired("one");
    let ground = rig.ground();
    let outcome = ground.run(async |it| make_backup(it, &desired).await).await;
    assert_eq!(outcome, Outcome::Done { release: None });
    let id = backup::backups(&rig.store).await.unwrap().pop().unwrap().id;
    rig.sql("drop table orders").await;
    let lost = ground
        .run(async |it| preview_restore(it, &desired, &id).await)
        .await;
    assert_eq!(
        lost.unwrap(),
        ["public.orders: 1000 rows then, no such table now"]
    );
    let outcome = ground
        .run(async |it| restore_backup(it, &desired, &id).await)
        .await;
    assert_eq!(outcome, Outcome::Done { release: Some(1) });
    let after = rig
        .sql("select md5(string_agg(o::text, ',' order by id)) from orders o")
        .await;
    assert_eq!(after, before);
    rig.remove().await;
}

/// The process ends, in a way that nothing of it can clean up, when the engine has done so many
/// things; the next one goes on from there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine"]
async fn a_deployment_that_dies_in_each_phase_is_settled_by_the_next() {
    let rig = Rig::new("kill").await;
    assert_eq!(rig.deploy("t0").await, Outcome::Done { release: Some(1) });
    let visitors = rig.visitors();
    for phase in Phase::ALL {
        let tree = format!("t{}", phase.number());
        rig.die_in(&tree, phase).await;
        let outcome = rig.deploy(&tree).await;
        println!("died in {phase}: {outcome:?}");
        assert_eq!(outcome.exit_code().get(), 0, "{phase}: {outcome:?}");
        rig.assert_one_serves(&tree).await;
    }
    let (asked, refused) = visitors.count().await;
    println!("{asked} requests, {refused} failed");
    assert_eq!(refused, 0);
    rig.remove().await;
}
