//! A new login beside the pool.

use std::time::Duration;

use tria_check::{Check, Cost, Criticality, Group, Outcome, Status};
use tria_devstack::{FaultProxy, Mode};
use tria_redis_check::{LoginCheck, RedisCheck, RedisOptions, codes};

use crate::{
    access::grant,
    support::{
        PASSWORD, WRONG, admin, assert_fails, detail, hasty, kit, limited, once, options, pool,
        probe, run, server, server_with_password, until,
    },
};

fn login(options: &RedisOptions) -> LoginCheck {
    let own = RedisOptions {
        max_size: 1,
        ..options.clone()
    };
    LoginCheck::new(pool(&own)).endpoint(options)
}

async fn verify(login: &LoginCheck) -> Outcome {
    kit().verify(login).await.unwrap()
}

#[tokio::test]
async fn it_degrades_readiness_and_is_tried_once_a_minute_at_most() {
    let login = login(&options(1));
    let meta = login.meta();
    assert_eq!(meta.name(), "redis.login");
    assert!(meta.is_in(Group::Readiness) && meta.is_in(Group::Diagnostics));
    assert!(!meta.is_in(Group::Startup) && !meta.is_in(Group::Liveness));
    assert_eq!(meta.get_criticality(), Criticality::Optional);
    assert_eq!(meta.get_cost(), Cost::Metered);
    assert_eq!(meta.effective_period(), Duration::from_secs(60));
}

/// n8n-io/n8n#15480: the pooled probe stayed green after the password was changed.
#[tokio::test]
async fn a_changed_password_is_found_by_a_new_login() {
    let redis = server_with_password().await;
    let options = RedisOptions {
        password: Some(PASSWORD.into()),
        ..options(redis.port())
    };
    let (pool, login) = (pool(&options), login(&options));
    let pooled = RedisCheck::new(pool.clone());
    assert_eq!(probe(&pooled).await.status(), Status::Pass);
    let outcome = verify(&login).await;
    assert_eq!(outcome.status(), Status::Pass);
    assert_eq!(outcome.text().as_str(), "A new login to Redis works");

    // Connections that are open stay logged in.
    let mut connection = pool.get().await.unwrap();
    run::<()>(&mut connection, &["CONFIG", "SET", "requirepass", WRONG]).await;
    drop(connection);
    assert_eq!(probe(&pooled).await.status(), Status::Pass);
    let outcome = verify(&login).await;
    assert_fails(&outcome, codes::AUTH_FAILED, true);
    assert!(detail(&outcome).starts_with(&format!("127.0.0.1:{}: ", redis.port())));
}

#[tokio::test]
async fn every_run_opens_a_connection_and_leaves_none() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    let mut proxy = FaultProxy::start(redis.address()).await.unwrap();
    let login = login(&hasty(proxy.port()));
    for opened in 1..4 {
        assert_eq!(once(&login).await.status(), Status::Pass);
        assert_eq!(proxy.accepted(), opened);
    }
    until("every connection is closed", async || proxy.open() == 0).await;
    assert_eq!(verify(&login).await.status(), Status::Pass);
    until("also those of cancelled runs", async || proxy.open() == 0).await;
    let clients: String = run(&mut admin, &["CLIENT", "LIST"]).await;
    assert_eq!(clients.lines().count(), 1, "{clients}");
    for (mode, code) in [
        (Mode::Refuse, codes::CONNECT_REFUSED),
        (Mode::ResetMidReply, codes::CONNECTION_CLOSED),
        (Mode::BlackHole, codes::CONNECT_TIMEOUT),
    ] {
        proxy.set(mode).await;
        assert_fails(&verify(&login).await, code, false);
    }
}

/// A user who may log in but not ask anything: the login is what is proven.
#[tokio::test]
async fn a_command_that_is_forbidden_is_told() {
    let redis = server(&[]).await;
    grant(&mut admin(&redis).await, "~* +@all -ping").await;
    let outcome = verify(&login(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::PERMISSION_DENIED, true);
}
