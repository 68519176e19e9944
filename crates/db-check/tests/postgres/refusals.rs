//! Servers that say no, or nothing.

use std::time::Duration;

use tria_check::{CheckMeta, Retry, Status};
use tria_db_check::DatabaseCheck;
use tria_devstack::{FaultProxy, Mode, Postgres, PostgresOptions, Recovery};

use crate::support::*;

#[tokio::test]
async fn a_stopped_server_is_refused_and_found_again() {
    let mut server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let url = server.url("postgres");
    let check = check(&url);
    assert_eq!(run(&check).await.status(), Status::Pass);

    server.stop().await;
    let outcome = conforms(&check, &url).await;
    assert_refused(&outcome, "connect_refused", TRANSIENT);
    let port = server.port().to_string();
    let told = detail(&outcome);
    assert!(
        told.contains(&port) && told.contains("as postgres"),
        "{told}"
    );
    assert!(
        told.contains("refused"),
        "the driver's chain is there: {told}"
    );
    assert_eq!(number(&outcome, "pool_size"), 0, "the pool is told even so");

    server.restart().await.unwrap();
    assert_eq!(run(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_wrong_password_is_permanent() {
    let (stack, database) = database().await;
    let (port, name) = (stack.postgres_port(), database.name());
    let url = format!("postgres://postgres:wr0ng-pl4nted@127.0.0.1:{port}/{name}");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "auth_failed", Retry::Permanent);
    assert!(detail(&outcome).contains("password authentication failed"));

    let url = format!("postgres://nobody_here:wr0ng-pl4nted@127.0.0.1:{port}/{name}");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "auth_failed", Retry::Permanent);

    let url = format!("postgres://postgres@127.0.0.1:{port}/{name}");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "password_missing", Retry::Permanent);
}

#[tokio::test]
async fn a_missing_database_is_permanent() {
    let (_stack, database) = database().await;
    let url = database.url().replace(database.name(), "no_such_database");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "database_missing", Retry::Permanent);
}

#[tokio::test]
async fn a_role_that_may_not_connect_is_permanent() {
    let (stack, database) = database().await;
    let (port, name) = (stack.postgres_port(), database.name());
    let admin = client(database.url()).await;
    let prepare = format!(
        "CREATE ROLE barred_{name} LOGIN PASSWORD 'b4rred-pw';
         REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"
    );
    admin.batch_execute(&prepare).await.unwrap();
    let url = format!("postgres://barred_{name}:b4rred-pw@127.0.0.1:{port}/{name}");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "permission_denied", Retry::Permanent);
    let drop = format!("DROP ROLE barred_{name}");
    admin.batch_execute(&drop).await.unwrap();
}

#[tokio::test]
async fn a_server_without_a_free_connection_is_transient() {
    let options = PostgresOptions {
        settings: vec![
            ("max_connections".into(), "4".into()),
            ("superuser_reserved_connections".into(), "0".into()),
        ],
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).await.unwrap();
    let url = server.url("postgres");
    let crowd = pool(&url, 4);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(crowd.get().await.unwrap());
    }
    let check = check(&url);
    let outcome = conforms(&check, &url).await;
    assert_refused(&outcome, "too_many_connections", TRANSIENT);
    let freed = deadpool_postgres::Object::take(held.pop().unwrap());
    drop(freed);
    for _ in 0..100 {
        if run(&check).await.code().as_str() != "too_many_connections" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never got the freed connection");
}

#[tokio::test]
async fn a_server_that_starts_up_is_transient() {
    let options = PostgresOptions {
        recovery: Some(Recovery::NotAccepting),
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).await.unwrap();
    let url = server.url("postgres");
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "starting_up", TRANSIENT);
}

/// A label of more than 63 characters is refused by the resolver itself.
#[tokio::test]
async fn a_host_without_an_address_is_transient() {
    let url = format!("postgres://u:pl4nted@{}.invalid/d", "h".repeat(64));
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, "dns_failed", TRANSIENT);
}

#[tokio::test]
async fn a_server_that_hangs_is_a_timeout_of_its_own() {
    let (stack, database) = database().await;
    let mut proxy = FaultProxy::start(format!("127.0.0.1:{}", stack.postgres_port()))
        .await
        .unwrap();
    let port = stack.postgres_port().to_string();
    let url = database.url().replace(&port, &proxy.port().to_string());
    let short = |meta: CheckMeta| meta.timeout(Duration::from_millis(600));
    let check = DatabaseCheck::new(pool(&url, 2)).configure(short);

    proxy.set(Mode::BlackHole).await;
    let outcome = conforms(&check, &url).await;
    assert_refused(&outcome, "connect_timeout", TRANSIENT);
    proxy.set(Mode::Garbage).await;
    let outcome = run(&check).await;
    assert!(outcome.is_failure() && outcome.retry() == TRANSIENT);
    proxy.set(Mode::Pass).await;
    assert_eq!(run(&check).await.status(), Status::Pass);
}
