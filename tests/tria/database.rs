//! PostgreSQL, stopped and broken.

use std::time::Duration;

use tria_devstack::{Postgres, PostgresOptions, Recovery};
use tria_tests::{Fixture, get};

const SECOND: Duration = Duration::from_secs(1);

/// A service in good order on a PostgreSQL of its own, but for the schema.
async fn on(postgres: &Postgres) -> Fixture {
    let mut fixture = Fixture::migrated().await;
    let url = postgres.create_database("app").await.unwrap();
    fixture.set("DATABASE_URL", url);
    fixture
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped() {
    let mut postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let fixture = on(&postgres).await;
    postgres.stop().await;
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["database:", "[connect_refused]", "remedy:"]);
    assert!(
        ended.elapsed >= 2 * SECOND,
        "it did not wait until the deadline"
    );
    ended.within(4 * SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_password() {
    let mut fixture = Fixture::migrated().await;
    let url = fixture.keys["DATABASE_URL"].clone();
    let password = fixture.stack.postgres_password().to_owned();
    fixture.set("DATABASE_URL", url.replace(&password, "wrong-Hj4kL9"));
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["database:", "[auth_failed]", "DATABASE_URL"]);
    ended.within(SECOND);
    assert!(!ended.text().contains("wrong-Hj4kL9"), "{}", ended.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_database() {
    let mut fixture = Fixture::migrated().await;
    let url = fixture.stack.postgres_url("there_is_no_such_database");
    fixture.set("DATABASE_URL", url);
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["database:", "[database_missing]", "remedy:"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_table() {
    let fixture = Fixture::migrated().await;
    fixture
        .execute("DROP TABLE user_interaction_summaries; DROP TABLE invoices CASCADE")
        .await;
    let ended = fixture.run(&["serve"]);
    let tables = ["invoices", "user_interaction_summaries"];
    ended.expect(69, &["database.schema:", tables[0], tables[1], "remedy:"]);
    ended.within(SECOND);
    fixture.expect_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_connections() {
    let settings = vec![
        ("max_connections".to_owned(), "4".to_owned()),
        ("superuser_reserved_connections".to_owned(), "0".to_owned()),
        ("max_wal_senders".to_owned(), "0".to_owned()),
    ];
    let postgres = Postgres::start(PostgresOptions {
        settings,
        ..PostgresOptions::default()
    })
    .await
    .unwrap();
    let fixture = on(&postgres).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(fixture.connect().await);
    }
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["database:", "[too_many_connections]", "remedy:"]);
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_up() {
    let recovery = Some(Recovery::NotAccepting);
    let postgres = Postgres::start(PostgresOptions {
        recovery,
        ..PostgresOptions::default()
    })
    .await
    .unwrap();
    let mut fixture = Fixture::migrated().await;
    fixture.set("DATABASE_URL", postgres.url("postgres"));
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["database:", "[starting_up]", "remedy:"]);
}

/// n8n-io/n8n#15480: connections that are open serve on, and hide that no new one can be had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_fails_degrades_and_takes_no_traffic_away() {
    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let mut fixture = on(&postgres).await;
    let create = "CREATE ROLE narrow LOGIN PASSWORD 'Zk4vQ9tLw2Xs' CONNECTION LIMIT 1;
                  GRANT postgres TO narrow";
    let admin = fixture.connect().await;
    admin.batch_execute(create).await.unwrap();
    let database = fixture.keys["DATABASE_URL"].clone();
    let (_, place) = database.rsplit_once('@').unwrap();
    fixture.set(
        "DATABASE_URL",
        format!("postgres://narrow:Zk4vQ9tLw2Xs@{place}"),
    );
    let running = fixture.serve();
    let url = running.ready();
    let health = get(&format!("{url}/health")).await.unwrap();
    assert_eq!(health.status, 200);
    assert_eq!(health.body["status"], "degraded", "{:#}", health.body);
    let database = &health.body["services"]["database"];
    assert_eq!(database["healthy"], false, "{database:#}");
    assert_eq!(database["code"], "too_many_connections", "{database:#}");
    let ready = get(&format!("{url}/readyz")).await.unwrap();
    assert_eq!(ready.status, 200, "what is open serves");
}
