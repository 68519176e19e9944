//! A server that answers: what is proven, and what is found wanting.

use tria_check::{Check, PublicValue, Retry, Status};
use tria_db_check::DatabaseCheck;
use tria_devstack::{Postgres, PostgresOptions, Recovery};

use crate::support::*;

#[tokio::test]
async fn a_good_database_is_proven() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let version: String = admin
        .query_one("SHOW server_version", &[])
        .await
        .unwrap()
        .get(0);
    let version = version.split(' ').next().unwrap();

    let outcome = conforms(&check(database.url()), database.url()).await;
    assert_eq!(
        texts(&outcome),
        [format!("Connected to PostgreSQL {version}")]
    );
    assert_eq!(outcome.status(), Status::Pass);
    assert_eq!(
        outcome.observed_value("server_version"),
        Some(&PublicValue::word(version))
    );
    assert_eq!(number(&outcome, "pool_size"), 1);
    assert_eq!(number(&outcome, "pool_checked_in"), 1);
    assert_eq!(number(&outcome, "pool_checked_out"), 0);
    assert_eq!(number(&outcome, "pool_waiting"), 0);
    assert_eq!(number(&outcome, "pool_max"), 2);
    assert!(
        number(&outcome, "connections_used") >= 2,
        "it and the admin"
    );
    assert!(number(&outcome, "connections_max") > number(&outcome, "connections_reserved"));
    let Some(PublicValue::Float(time)) = outcome.observed_value("response_time_ms") else {
        panic!("no response time")
    };
    assert!((0.0..5000.0).contains(time), "{time}");
    assert!(
        detail(&outcome).contains(database.name()),
        "operators see where it leads"
    );
}

/// An ordinary role neither sees the sessions of others nor may use reserved connections.
#[tokio::test]
async fn an_ordinary_role_is_enough() {
    let (stack, database) = database().await;
    let admin = client(database.url()).await;
    let role = format!("plain_{}", database.name());
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'pl4in-pw'");
    admin.batch_execute(&create).await.unwrap();
    let url = format!(
        "postgres://{role}:pl4in-pw@127.0.0.1:{}/{}",
        stack.postgres_port(),
        database.name()
    );
    let check = check(&url);
    let outcome = conforms(&check, &url).await;
    assert_eq!(codes(&outcome), ["ok"]);
    assert!(number(&outcome, "connections_used") >= 2);
    drop(check);
    drop(outcome);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    until(&admin, &gone, 0).await;
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
}

/// Xabaril/AspNetCore.Diagnostics.HealthChecks#1993 and #2364: probing opened a data source each
/// time and leaked its connections.
#[tokio::test]
async fn two_hundred_probes_use_one_connection() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let check = check(database.url());
    for _ in 0..200 {
        assert_eq!(run(&check).await.status(), Status::Pass);
    }
    let query = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let open: i64 = admin.query_one(query, &[]).await.unwrap().get(0);
    assert_eq!(open, 1);
}

/// hellofresh/health-go#224: a probe per timeout was left behind.
#[tokio::test]
async fn cancelled_probes_leave_nothing_behind() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let check = check(database.url());
    for polls in 0..60 {
        let cx = context(&check);
        let mut left = polls % 9;
        let mut probe = std::pin::pin!(check.check(&cx));
        std::future::poll_fn(|task| {
            left -= 1;
            let answered = probe.as_mut().poll(task).is_ready();
            if answered || left <= 0 {
                return std::task::Poll::Ready(());
            }
            std::task::Poll::Pending
        })
        .await;
    }
    assert_eq!(run(&check).await.status(), Status::Pass);
    let query = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()";
    until(&admin, query, 1).await;
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let (_stack, database) = database().await;
    let check = check(database.url()).min_version(99);
    let outcome = conforms(&check, database.url()).await;
    assert_refused(&outcome, "version_unsupported", Retry::Permanent);
    assert!(outcome.text().as_str().contains("99 or newer"));
}

#[tokio::test]
async fn a_read_only_database_is_refused() {
    let (_stack, database) = database().await;
    let name = database.name();
    let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    client(database.url())
        .await
        .batch_execute(&set)
        .await
        .unwrap();
    let outcome = conforms(&check(database.url()), database.url()).await;
    assert_refused(&outcome, "read_only", Retry::Permanent);
    assert_eq!(codes(&outcome), ["ok", "read_only"]);
}

#[tokio::test]
async fn a_standby_is_refused_until_it_is_promoted() {
    let options = PostgresOptions {
        recovery: Some(Recovery::ReadOnly),
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).await.unwrap();
    let url = server.url("postgres");
    let check = check(&url);
    let outcome = conforms(&check, &url).await;
    assert_refused(&outcome, "in_recovery", TRANSIENT);
    assert_eq!(
        codes(&outcome),
        ["ok", "in_recovery"],
        "not read_only as well"
    );

    let admin = client(&url).await;
    admin
        .batch_execute("SELECT pg_promote(true)")
        .await
        .unwrap();
    assert_eq!(run(&check).await.status(), Status::Pass);
}

#[tokio::test]
async fn few_connections_left_is_a_warning() {
    let options = PostgresOptions {
        settings: vec![("max_connections".into(), "12".into())],
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).await.unwrap();
    let url = server.url("postgres");
    let small = DatabaseCheck::new(pool(&url, 1));
    assert_eq!(run(&small).await.status(), Status::Pass, "1 of 9");

    let large = DatabaseCheck::new(pool(&url, 20));
    let outcome = conforms(&large, &url).await;
    assert_eq!(
        codes(&outcome),
        ["ok", "connections_low"],
        "20 can never be had"
    );
    assert_eq!(outcome.status(), Status::Warn);

    let crowd = pool(&url, 7);
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(crowd.get().await.unwrap());
    }
    let outcome = conforms(&small, &url).await;
    assert_eq!(codes(&outcome), ["ok", "connections_low"]);
    assert_eq!(number(&outcome, "connections_max"), 12);
    assert_eq!(number(&outcome, "connections_reserved"), 3);
}
