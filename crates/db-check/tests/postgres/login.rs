//! A new login beside the pool.

use std::time::Duration;

use tria_check::{Check, Cost, Criticality, Group, Retry, Status};
use tria_db_check::{LoginCheck, pool::PoolOptions};
use tria_devstack::{FaultProxy, Mode, Postgres, PostgresOptions};

use crate::support::*;

#[test]
fn it_degrades_readiness_and_is_tried_once_a_minute_at_most() {
    let login = LoginCheck::new(pool("postgres://a:b@127.0.0.1:1/c", 1));
    let meta = login.meta();
    assert_eq!(meta.name(), "database.login");
    assert!(meta.is_in(Group::Readiness) && meta.is_in(Group::Diagnostics));
    assert!(!meta.is_in(Group::Startup) && !meta.is_in(Group::Liveness));
    assert_eq!(meta.get_criticality(), Criticality::Optional);
    // The cost holds while it fails, too: a role may be locked after so many wrong passwords.
    assert_eq!(meta.get_cost(), Cost::Metered);
    assert_eq!(meta.effective_period(), Duration::from_secs(60));
}

/// n8n-io/n8n#15480: the pooled probe stayed green after the password was changed.
#[tokio::test]
async fn a_changed_password_is_found_by_a_new_login() {
    let server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let admin = client(&server.url("postgres")).await;
    let create = "CREATE ROLE rotated LOGIN PASSWORD 'f1rst-pw'";
    admin.batch_execute(create).await.unwrap();
    let url = format!(
        "postgres://rotated:f1rst-pw@127.0.0.1:{}/postgres",
        server.port()
    );
    let used = self::url(&url);
    let pooled = check(&url);
    let login = LoginCheck::new(used.pool(&PoolOptions::default()).unwrap());
    assert_eq!(run(&pooled).await.status(), Status::Pass);
    let outcome = conforms(&login, &url).await;
    assert_eq!(texts(&outcome), ["A new login to the database works"]);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'rotated'";
    until(&admin, sessions, 1).await;

    let rotate = "ALTER ROLE rotated PASSWORD 's3cond-pw'";
    admin.batch_execute(rotate).await.unwrap();
    assert_eq!(
        run(&pooled).await.status(),
        Status::Pass,
        "it is still logged in"
    );
    let outcome = conforms(&login, &url).await;
    assert_refused(&outcome, "auth_failed", Retry::Permanent);
    until(&admin, sessions, 1).await;

    let changed = self::url(&url.replace("f1rst-pw", "s3cond-pw"));
    assert_eq!(used.rotate(&changed), Ok(true));
    let outcome = conforms(&login, &url).await;
    assert_eq!(outcome.status(), Status::Pass, "it logs in anew");
}

#[tokio::test]
async fn every_run_opens_a_connection_and_leaves_none() {
    let (stack, database) = database().await;
    let port = stack.postgres_port().to_string();
    let mut proxy = FaultProxy::start(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    let url = database.url().replace(&port, &proxy.port().to_string());
    let own = pool(&url, 1);
    let login =
        LoginCheck::new(own.clone()).configure(|meta| meta.timeout(Duration::from_millis(800)));
    for opened in 1..4 {
        assert_eq!(run(&login).await.status(), Status::Pass);
        assert_eq!((proxy.accepted(), own.status().size), (opened, 0));
    }
    for (mode, code) in [
        (Mode::Refuse, "connect_refused"),
        (Mode::ResetMidReply, "connection_lost"),
        (Mode::BlackHole, "connect_timeout"),
    ] {
        proxy.set(mode).await;
        let outcome = conforms(&login, &url).await;
        assert_refused(&outcome, code, TRANSIENT);
        assert_eq!(own.status().size, 0);
    }
}
