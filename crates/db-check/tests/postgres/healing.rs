//! super-productivity#9599, n8n-hosting#124: hours of outage with a pool of dead connections
//! after a restart of the database.

use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use tria_check::Status;
use tria_db_check::{DatabaseCheck, pool::PoolOptions};
use tria_devstack::{FaultProxy, Mode, Postgres, PostgresOptions, SharedStack, TestDatabase};

use crate::support::*;

async fn pid(pool: &Pool) -> i32 {
    let client = pool.get().await.unwrap();
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn a_restart_of_the_server_heals_at_the_next_use() {
    let mut server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let url = server.url("postgres");
    let pool = pool(&url, 4);
    let check = DatabaseCheck::new(pool.clone());
    let filled = tokio::join!(pool.get(), pool.get(), pool.get(), pool.get());
    drop(filled);
    assert_eq!(number(&run(&check).await, "pool_size"), 4);

    server.restart().await.unwrap();
    assert_eq!(run(&check).await.status(), Status::Pass);
    for _ in 0..4 {
        pid(&pool).await;
    }
}

#[tokio::test]
async fn a_poisoned_connection_is_replaced() {
    let (_stack, database) = database().await;
    let pool = pool(database.url(), 1);
    for poison in ["BEGIN", "BEGIN; CREATE TABLE left_open (id int)"] {
        let before = pid(&pool).await;
        assert_eq!(pid(&pool).await, before, "a good one is kept");
        pool.get()
            .await
            .unwrap()
            .batch_execute(poison)
            .await
            .unwrap();
        assert_ne!(pid(&pool).await, before, "{poison}");
    }
    let before = pid(&pool).await;
    let failed = pool
        .get()
        .await
        .unwrap()
        .batch_execute("BEGIN; SELECT 1/0")
        .await;
    assert!(failed.is_err());
    assert_ne!(pid(&pool).await, before, "an aborted transaction");
}

#[tokio::test]
async fn a_session_that_was_ended_is_replaced() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let pool = pool(database.url(), 1);
    let check = DatabaseCheck::new(pool.clone());
    let before = pid(&pool).await;
    let ended = admin
        .query_one("SELECT pg_terminate_backend($1, 5000)", &[&before])
        .await;
    assert!(ended.unwrap().get::<_, bool>(0));
    assert_eq!(run(&check).await.status(), Status::Pass);
    assert_ne!(pid(&pool).await, before);
}

/// A proxy in front of the shared server, and the URL that leads through it.
async fn proxied(stack: &SharedStack, database: &TestDatabase) -> (FaultProxy, String) {
    let port = stack.postgres_port().to_string();
    let proxy = FaultProxy::start(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    let url = database.url().replace(&port, &proxy.port().to_string());
    (proxy, url)
}

/// Opens all connections that a pool may have.
async fn fill(pool: &Pool) {
    let mut held = Vec::new();
    for _ in 0..pool.status().max_size {
        held.push(pool.get().await.unwrap());
    }
}

/// A connection that is dead without anybody having said so: nothing is answered on it.
#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let (stack, database) = database().await;
    let (mut proxy, url) = proxied(&stack, &database).await;
    let pool = pool(&url, 1);
    let check = DatabaseCheck::new(pool.clone())
        .configure(|meta| meta.timeout(Duration::from_millis(1200)));
    assert_eq!(run(&check).await.status(), Status::Pass);

    proxy.set(Mode::BlackHole).await;
    assert_refused(&run(&check).await, "connect_timeout", TRANSIENT);
    assert_eq!(pool.status().size, 0, "the silent one is gone");
    proxy.set(Mode::Pass).await;
    assert_eq!(run(&check).await.status(), Status::Pass);
}

/// One after the other they would hold up the check, and whoever asks the pool, for as many
/// timeouts as there are connections.
#[tokio::test]
async fn connections_that_fell_silent_together_are_replaced_together() {
    let (stack, database) = database().await;
    let (proxy, url) = proxied(&stack, &database).await;
    let pool = pool(&url, 8);
    let check = DatabaseCheck::new(pool.clone());
    fill(&pool).await;

    proxy.forget();
    let begun = Instant::now();
    assert_eq!(codes(&run(&check).await), ["ok"]);
    fill(&pool).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "one silence of 500 ms, not eight"
    );
}

#[tokio::test]
async fn the_pool_is_whole_as_soon_as_a_fault_is_over() {
    let (stack, database) = database().await;
    let (mut proxy, url) = proxied(&stack, &database).await;
    let pool = pool(&url, 4);
    let check = DatabaseCheck::new(pool.clone())
        .configure(|meta| meta.timeout(Duration::from_millis(1200)));
    for fault in [
        Mode::Refuse,
        Mode::BlackHole,
        Mode::ResetMidReply,
        Mode::Garbage,
    ] {
        fill(&pool).await;
        proxy.set(fault).await;
        assert!(run(&check).await.is_failure(), "{fault:?}");
        proxy.set(Mode::Pass).await;
        assert_eq!(codes(&run(&check).await), ["ok"], "after {fault:?}");
        fill(&pool).await;
    }
}

#[tokio::test]
async fn a_server_that_pauses_is_told_and_found_again() {
    let server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let pool = pool(&server.url("postgres"), 4);
    let check = DatabaseCheck::new(pool.clone());
    fill(&pool).await;
    server.pause();
    assert_refused(&run(&check).await, "connect_timeout", TRANSIENT);
    server.resume();
    assert_eq!(codes(&run(&check).await), ["ok"]);
    fill(&pool).await;
}

/// At runtime, with the limits that nobody has changed.
#[tokio::test]
async fn a_silent_database_is_told_within_three_seconds() {
    let (stack, database) = database().await;
    let (mut proxy, through) = proxied(&stack, &database).await;
    let pool = url(&through).pool(&PoolOptions::default()).unwrap();
    let check = DatabaseCheck::new(pool.clone());
    for opened in [false, true] {
        if opened {
            proxy.set(Mode::Pass).await;
            assert_eq!(run(&check).await.status(), Status::Pass);
        }
        proxy.set(Mode::BlackHole).await;
        let begun = Instant::now();
        let outcome = run(&check).await;
        assert_refused(&outcome, "connect_timeout", TRANSIENT);
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}

/// Nobody waits for data on a connection at rest, so only the kernel can notice that its host is
/// gone. The driver lets it look after two hours.
#[tokio::test]
async fn a_connection_at_rest_is_looked_after() {
    let (_stack, database) = database().await;
    let pool = url(database.url()).pool(&PoolOptions::default()).unwrap();
    let client = pool.get().await.unwrap();
    let query = "SELECT inet_client_port(), inet_server_port()";
    let row = client.query_one(query, &[]).await.unwrap();
    let ports = [0, 1].map(|column| u16::try_from(row.get::<_, i32>(column)).unwrap());
    let next = tria_devstack::keepalive_in(ports).await.unwrap();
    assert!(
        next.is_some_and(|next| next <= Duration::from_secs(30)),
        "{next:?}"
    );
}

/// Without being told to, a server that works on a statement does not look at its client.
#[tokio::test]
async fn what_a_process_leaves_behind_is_soon_ended() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let name = format!("left by {}", database.name());
    let options = PoolOptions {
        application_name: Some(name.clone()),
        ..PoolOptions::default()
    };
    let pool = url(database.url()).pool(&options).unwrap();
    let mut leaving = tokio::spawn(async move {
        let client = pool.get().await.unwrap();
        let work = "BEGIN; CREATE TABLE held (id int); SELECT pg_sleep(600)";
        client.batch_execute(work).await
    });
    let sessions =
        format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    until(&admin, &format!("{sessions} AND wait_event = 'PgSleep'"), 1).await;
    assert!(!leaving.is_finished(), "{:?}", leaving.await);
    leaving.abort();
    assert!((&mut leaving).await.unwrap_err().is_cancelled());
    until(&admin, &sessions, 0).await;
}
