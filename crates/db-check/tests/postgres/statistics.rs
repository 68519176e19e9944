//! What a database is busy with.

use std::time::Duration;

use tria_check::{Check, Cost, Criticality, Group, PublicValue, Status};
use tria_db_check::StatisticsCheck;
use tria_devstack::{FaultProxy, Mode, Postgres, PostgresOptions, Recovery};

use crate::support::*;

fn statistics(url: &str) -> StatisticsCheck {
    StatisticsCheck::new(pool(url, 2)).target(crate::support::url(url).target())
}

#[test]
fn it_is_for_diagnostics_alone() {
    let check = statistics("postgres://a:b@127.0.0.1:1/c");
    let meta = check.meta();
    assert_eq!(meta.name(), "database.statistics");
    assert_eq!(meta.in_groups(), [Group::Diagnostics].into());
    assert_eq!(meta.get_criticality(), Criticality::Optional);
    assert_eq!(meta.get_cost(), Cost::Metered);
    assert_eq!(meta.effective_period(), Duration::from_secs(60));
}

#[tokio::test]
async fn a_database_at_rest_is_told() {
    let (_stack, database) = database().await;
    let outcome = conforms(&statistics(database.url()), database.url()).await;
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (Status::Pass, vec!["ok"])
    );
    let megabytes = number(&outcome, "database_size_bytes") >> 20;
    assert!((1..100).contains(&megabytes), "{megabytes}");
    assert_eq!(
        texts(&outcome),
        [format!("The database has {megabytes} MiB")]
    );
    assert!(number(&outcome, "connections_used") >= 1);
    assert!(number(&outcome, "connections_max") > number(&outcome, "connections_used"));
    assert_eq!(number(&outcome, "deadlocks"), 0);
    assert_eq!(number(&outcome, "lock_waiters"), 0);
    assert_eq!(number(&outcome, "idle_in_transaction"), 0);
    assert_eq!(outcome.observed_value("standby"), Some(&false.into()));
    for absent in [
        "oldest_transaction_seconds",
        "oldest_idle_in_transaction_seconds",
        "longest_lock_wait_seconds",
        "replication_lag_seconds",
    ] {
        assert_eq!(outcome.observed_value(absent), None, "{absent}");
    }
    let Some(PublicValue::Float(ratio)) = outcome.observed_value("cache_hit_ratio") else {
        panic!("no ratio: {outcome:?}")
    };
    assert!((0.0..=1.0).contains(ratio), "{ratio}");
}

/// A session that was left in a transaction, and one that waits for what it has locked.
#[tokio::test]
async fn an_old_transaction_and_a_waiting_lock_are_warned_about() {
    let (_stack, database) = database().await;
    let watch = client(database.url()).await;
    let (holder, waiter) = (client(database.url()).await, client(database.url()).await);
    watch
        .batch_execute("CREATE TABLE boxes (id int)")
        .await
        .unwrap();
    let begin = "BEGIN; LOCK TABLE boxes";
    holder.batch_execute(begin).await.unwrap();
    let pid = "SELECT pg_backend_pid()";
    let held_by: i32 = holder.query_one(pid, &[]).await.unwrap().get(0);
    let waiting: i32 = waiter.query_one(pid, &[]).await.unwrap().get(0);
    let waits = tokio::spawn(async move {
        waiter.batch_execute("SELECT * FROM boxes").await.unwrap();
    });
    let blocked = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()";
    until(&watch, blocked, 1).await;

    let patient = statistics(database.url());
    let outcome = run(&patient).await;
    assert_eq!(codes(&outcome), ["ok"], "neither is old yet");
    assert_eq!(number(&outcome, "lock_waiters"), 1);
    assert_eq!(number(&outcome, "idle_in_transaction"), 1);
    assert!(number(&outcome, "oldest_transaction_seconds") < 60);

    let strict = statistics(database.url())
        .transaction_limit(Duration::from_secs(1))
        .lock_limit(Duration::from_secs(1));
    let older = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid IN ({held_by}, {waiting})
            AND now() - state_change > '2 s'"
    );
    until(&watch, &older, 2).await;
    let outcome = conforms(&strict, database.url()).await;
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (Status::Warn, vec!["ok", "transaction_old", "lock_waiting"])
    );
    let findings = outcome.findings();
    let told = |index: usize| findings[index].get_detail().unwrap().expose();
    assert!(texts(&outcome)[1].starts_with("a session has been idle in a transaction of "));
    assert!(told(1).contains(&format!(
        "pid {held_by}, user postgres, idle in transaction"
    )));
    assert!(told(2).contains(&format!("pid {waiting}, ")), "{}", told(2));
    assert!(
        told(2).contains(&format!("waits for pid {held_by} ")),
        "{}",
        told(2)
    );
    assert!(number(&outcome, "longest_lock_wait_seconds") >= 2);
    assert!(number(&outcome, "oldest_idle_in_transaction_seconds") >= 2);
    holder.batch_execute("ROLLBACK").await.unwrap();
    waits.await.unwrap();
}

/// What it may not see is left out, and how much that is is said.
#[tokio::test]
async fn an_ordinary_role_is_enough_for_its_own_sessions() {
    let server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let admin_url = server.url("postgres");
    let admin = client(&admin_url).await;
    let create = "CREATE ROLE plain LOGIN PASSWORD 'pl4in-pw'";
    admin.batch_execute(create).await.unwrap();
    admin.batch_execute("BEGIN; SELECT 1").await.unwrap();
    let url = format!(
        "postgres://plain:pl4in-pw@127.0.0.1:{}/postgres",
        server.port()
    );

    let outcome = run(&statistics(&url)).await;
    assert_eq!(codes(&outcome), ["ok"]);
    assert_eq!(number(&outcome, "sessions_hidden"), 1);
    assert_eq!(outcome.observed_value("oldest_transaction_seconds"), None);
    admin.batch_execute("COMMIT").await.unwrap();

    let own = client(&url).await;
    own.batch_execute("BEGIN; SELECT 1").await.unwrap();
    let outcome = conforms(&statistics(&url), &url).await;
    assert_eq!(codes(&outcome), ["ok"]);
    assert_eq!(number(&outcome, "idle_in_transaction"), 1);
    assert!(number(&outcome, "database_size_bytes") > 0);
    let outcome = run(&statistics(&admin_url)).await;
    assert_eq!(number(&outcome, "sessions_hidden"), 0);
    assert_eq!(number(&outcome, "idle_in_transaction"), 1);
}

#[tokio::test]
async fn a_deadlock_is_counted() {
    let (_stack, database) = database().await;
    let watch = client(database.url()).await;
    watch
        .batch_execute("CREATE TABLE a (); CREATE TABLE b ();")
        .await
        .unwrap();
    let lock = async |first: &str, second: &str| {
        let client = client(database.url()).await;
        let begin = format!("SET deadlock_timeout = '50ms'; BEGIN; LOCK TABLE {first}");
        client.batch_execute(&begin).await.unwrap();
        let query = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
            AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        until(&watch, query, 2).await;
        let _one_of_them_fails = client.batch_execute(&format!("LOCK TABLE {second}")).await;
    };
    tokio::join!(lock("a", "b"), lock("b", "a"));
    let counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    until(&watch, counted, 1).await;
    assert_eq!(
        number(&run(&statistics(database.url())).await, "deadlocks"),
        1
    );
}

#[tokio::test]
async fn a_standby_tells_how_far_it_is_behind() {
    let options = PostgresOptions {
        recovery: Some(Recovery::ReadOnly),
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).await.unwrap();
    let outcome = run(&statistics(&server.url("postgres"))).await;
    assert_eq!(outcome.observed_value("standby"), Some(&true.into()));
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_in_time() {
    let (stack, database) = database().await;
    let port = stack.postgres_port().to_string();
    let mut proxy = FaultProxy::start(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    let url = database.url().replace(&port, &proxy.port().to_string());
    let check = statistics(&url).configure(|meta| meta.timeout(Duration::from_millis(800)));
    for (mode, code) in [
        (Mode::Refuse, "connect_refused"),
        (Mode::BlackHole, "connect_timeout"),
    ] {
        proxy.set(mode).await;
        assert_refused(&conforms(&check, &url).await, code, TRANSIENT);
    }
}
