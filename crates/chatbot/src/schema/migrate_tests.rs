//! What cannot be shown with the real migrations: slow ones, failing ones, ones that wait.

use std::{fmt::Write as _, pin::pin, time::Duration};

use deadpool_postgres::{Manager, Runtime};
use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;
use tria_devstack::TestDatabase;

use super::*;

async fn fresh() -> (TestDatabase, Pool) {
    let stack = tria_devstack::shared().await.unwrap();
    let database = stack.fresh_database().await.unwrap();
    let manager = Manager::new(database.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager)
        .max_size(8)
        .runtime(Runtime::Tokio1)
        .build();
    (database, pool.unwrap())
}

fn known(files: &[(&str, &str)]) -> Vec<Migration> {
    let migration = |(name, sql): &(&str, &str)| Migration::unapplied(name, sql).unwrap();
    files.iter().map(migration).collect()
}

fn quick() -> MigrateOptions {
    MigrateOptions {
        lock_wait: Duration::from_millis(300),
        table_wait: Duration::from_millis(100),
    }
}

async fn count(pool: &Pool, query: &str) -> i64 {
    let client = pool.get().await.unwrap();
    client.query_one(query, &[]).await.unwrap().get(0)
}

async fn until(pool: &Pool, query: &str, wanted: i64) {
    let waiting = async {
        while count(pool, query).await != wanted {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(10);
    timeout(patience, waiting)
        .await
        .unwrap_or_else(|_| panic!("{query} never gave {wanted}"));
}

const LOCKS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn a_future_that_is_dropped_leaves_no_lock_and_no_half_migration() {
    let (_database, pool) = fresh().await;
    let files = known(&[
        ("V1__expand_whole", "CREATE TABLE whole (id int)"),
        (
            "V2__expand_half",
            "CREATE TABLE half (id int); SELECT pg_sleep(600)",
        ),
    ]);
    {
        let mut running = pin!(run(&pool, &files, MigrateOptions::default()));
        let asleep = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'";
        tokio::select! {
            ended = &mut running => panic!("{ended:?}"),
            () = until(&pool, asleep, 1) => {}
        }
        assert_eq!(count(&pool, LOCKS).await, 1);
    }
    until(&pool, LOCKS, 0).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename IN ('whole', 'half')";
    assert_eq!(
        count(&pool, tables).await,
        1,
        "the first was whole, the second rolled back"
    );

    let files = known(&[
        ("V1__expand_whole", "CREATE TABLE whole (id int)"),
        ("V2__expand_half", "CREATE TABLE half (id int)"),
    ]);
    let report = run(&pool, &files, quick()).await.unwrap();
    assert_eq!((report.applied.len(), report.current), (1, 2));
}

/// At every point at which it waits for anything, as a signal during startup does.
#[tokio::test]
async fn it_can_be_dropped_at_every_poll() {
    let (_database, pool) = fresh().await;
    let files = known(&[
        ("V1__expand_a", "CREATE TABLE a (id int)"),
        ("V2__expand_b", "CREATE TABLE b (id int)"),
    ]);
    for polls in 1.. {
        let mut left = polls;
        let ended = {
            let mut running = pin!(run(&pool, &files, MigrateOptions::default()));
            std::future::poll_fn(|task| {
                left -= 1;
                match running.as_mut().poll(task) {
                    std::task::Poll::Ready(ended) => std::task::Poll::Ready(Some(ended)),
                    std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
                    std::task::Poll::Pending => std::task::Poll::Pending,
                }
            })
            .await
        };
        until(&pool, LOCKS, 0).await;
        if let Some(ended) = ended {
            assert_eq!(ended.unwrap().current, 2);
            break;
        }
    }
    let query = "SELECT count(*) FROM refinery_schema_history";
    assert_eq!(count(&pool, query).await, 2);
}

#[tokio::test]
async fn a_lock_that_stays_taken_is_told_with_its_holder() {
    let (_database, pool) = fresh().await;
    let other = pool.get().await.unwrap();
    let row = other.query_one(
        "SELECT pg_backend_pid() FROM pg_advisory_lock($1)",
        &[&LOCK_KEY],
    );
    let pid: i32 = row.await.unwrap().get(0);
    let files = known(&[("V1__expand_a", "CREATE TABLE a (id int)")]);
    let error = run(&pool, &files, quick()).await.unwrap_err();
    let MigrateError::Locked { waited, holder } = error else {
        panic!("{error}")
    };
    assert_eq!(holder, Some(pid));
    assert!(
        waited >= quick().lock_wait && waited < Duration::from_secs(5),
        "{waited:?}"
    );

    let waiting = run(&pool, &files, MigrateOptions::default());
    let freeing = async {
        sleep(advisory_lock::PERIOD).await;
        other
            .batch_execute("SELECT pg_advisory_unlock_all()")
            .await
            .unwrap();
    };
    let (report, ()) = tokio::join!(waiting, freeing);
    assert_eq!(report.unwrap().current, 1);
}

#[tokio::test]
async fn a_failing_migration_is_named_and_rolled_back() {
    let (_database, pool) = fresh().await;
    let files = known(&[
        ("V1__expand_a", "CREATE TABLE a (id int)"),
        (
            "V2__expand_b",
            "CREATE TABLE b (id int); SELECT * FROM nowhere",
        ),
        ("V3__expand_c", "CREATE TABLE c (id int)"),
    ]);
    let error = run(&pool, &files, quick()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "migration V2__expand_b failed and was rolled back"
    );
    assert_eq!(error.sqlstate(), Some("42P01"));
    assert!(
        matches!(&error, MigrateError::Failed { sqlstate: Some(state), .. } if state == "42P01")
    );
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename IN ('a', 'b', 'c')";
    assert_eq!(count(&pool, tables).await, 1);
    until(&pool, LOCKS, 0).await;
}

#[tokio::test]
async fn a_table_in_use_does_not_block_everybody_behind_the_migration() {
    let (_database, pool) = fresh().await;
    let first = known(&[("V1__expand_a", "CREATE TABLE a (id int)")]);
    run(&pool, &first, quick()).await.unwrap();
    let user = pool.get().await.unwrap();
    user.batch_execute("BEGIN; SELECT * FROM a").await.unwrap();
    let both = known(&[
        ("V1__expand_a", "CREATE TABLE a (id int)"),
        ("V2__expand_b", "ALTER TABLE a ADD COLUMN b int"),
    ]);
    let error = run(&pool, &both, quick()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("55P03"));
    user.batch_execute("COMMIT").await.unwrap();
    assert_eq!(run(&pool, &both, quick()).await.unwrap().current, 2);
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let (_database, pool) = fresh().await;
    let files = known(&[("V1__expand_a", "CREATE TABLE a (id int)")]);
    run(&pool, &files, quick()).await.unwrap();
    let changed = known(&[
        ("V1__expand_a", "CREATE TABLE a (id bigint)"),
        ("V2__expand_b", "CREATE TABLE b (id int)"),
    ]);
    let error = run(&pool, &changed, quick()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "migration V1__expand_a was changed after it was applied"
    );
    let renamed = known(&[("V1__expand_b", "CREATE TABLE a (id int)")]);
    let error = run(&pool, &renamed, quick()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed { applied, .. } if applied == "V1__expand_a"));
}

#[tokio::test]
async fn a_migration_that_was_left_out_is_refused() {
    let (_database, pool) = fresh().await;
    let (one, two) = (
        ("V1__expand_a", "CREATE TABLE a (id int)"),
        ("V2__expand_b", "CREATE TABLE b (id int)"),
    );
    run(&pool, &known(&[two]), quick()).await.unwrap();
    let error = run(&pool, &known(&[one, two]), quick()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Unapplied { migration } if migration == "V1__expand_a"));
}

#[tokio::test]
async fn a_newer_schema_is_left_alone_and_told() {
    let (_database, pool) = fresh().await;
    let one = ("V1__expand_a", "CREATE TABLE a (id int)");
    let two = ("V2__expand_b", "CREATE TABLE b (id int)");
    let three = ("V3__contract_a", "DROP TABLE a");
    run(&pool, &known(&[one, two]), quick()).await.unwrap();
    let report = run(&pool, &known(&[one]), quick()).await.unwrap();
    assert_eq!((report.applied.len(), report.current), (0, 2));
    assert_eq!(report.newer[0].to_string(), "V2__expand_b");
    assert!(report.is_compatible());

    run(&pool, &known(&[one, two, three]), quick())
        .await
        .unwrap();
    let report = run(&pool, &known(&[one]), quick()).await.unwrap();
    assert_eq!(report.newer.len(), 2);
    assert!(!report.is_compatible());
}

#[tokio::test]
async fn a_role_that_may_not_create_is_told() {
    let (database, pool) = fresh().await;
    let role = format!("limited_{}", database.name());
    let admin = pool.get().await.unwrap();
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'l1mited-pw'");
    admin.batch_execute(&create).await.unwrap();
    let mut config: tokio_postgres::Config = database.url().parse().unwrap();
    config.user(&role).password("l1mited-pw");
    let limited = Pool::builder(Manager::new(config, NoTls)).build().unwrap();
    let files = known(&[("V1__expand_a", "CREATE TABLE a (id int)")]);
    let error = run(&limited, &files, quick()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42501"));
    let mut told = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        let _ = write!(told, "{error} {error:?} ");
        cause = error.source();
    }
    assert!(!told.contains("l1mited-pw"), "{told}");
    drop(limited);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    until(&pool, &gone, 0).await;
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
}
