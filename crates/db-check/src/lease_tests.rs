use std::time::Duration;

use deadpool_postgres::Pool;
use tria_devstack::TestDatabase;

use super::*;
use crate::pool::{PoolOptions, build};

async fn leased() -> (TestDatabase, Pool, Lease) {
    let stack = tria_devstack::shared().await.unwrap();
    let database = stack.fresh_database().await.unwrap();
    let pool = build(&database.url().into(), &PoolOptions::default()).unwrap();
    let lease = Lease::new(pool.get().await.unwrap());
    (database, pool, lease)
}

fn after(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

#[tokio::test]
async fn the_server_gives_up_before_the_client_and_the_connection_is_kept() {
    let (_database, pool, mut lease) = leased().await;
    let unanswered = lease
        .ask("SELECT pg_sleep(600)", after(500))
        .await
        .unwrap_err();
    assert_eq!(unanswered.fault, &fault::QUERY_TIMEOUT);
    assert!(unanswered.error.is_some(), "the server said so");
    drop(lease);
    assert_eq!(pool.status().available, 1);
}

#[tokio::test]
async fn the_limit_ends_with_the_question() {
    let (_database, _pool, mut lease) = leased().await;
    let rows = lease
        .ask("SHOW statement_timeout", after(5000))
        .await
        .unwrap();
    assert_ne!(rows[0].get(0), Some("0"));
    let client = lease.client.as_ref().unwrap();
    let row = client
        .query_one("SHOW statement_timeout", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "0");
}

#[tokio::test]
async fn a_connection_whose_answer_was_not_read_is_not_given_back() {
    let (_database, pool, mut lease) = leased().await;
    {
        let mut asking = std::pin::pin!(lease.ask("SELECT pg_sleep(600)", after(60_000)));
        std::future::poll_fn(|task| {
            assert!(asking.as_mut().poll(task).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
    drop(lease);
    assert_eq!(pool.status().size, 0);
}

#[tokio::test]
async fn a_refused_question_leaves_the_connection_in_order() {
    let (_database, pool, mut lease) = leased().await;
    let unanswered = lease
        .ask("SELECT * FROM nowhere", after(5000))
        .await
        .unwrap_err();
    assert_eq!(unanswered.fault, &fault::TABLE_MISSING);
    assert_eq!(lease.ask("SELECT 1", after(5000)).await.unwrap().len(), 1);
    drop(lease);
    assert_eq!(pool.status().available, 1);
}

#[tokio::test]
async fn of_several_questions_those_before_the_refused_one_are_answered() {
    let (_database, pool, mut lease) = leased().await;
    let questions = ["SELECT 1", "SELECT 2", "SELECT pg_sleep(600)", "SELECT 4"];
    let answers = lease.ask_each(&questions, after(1000)).await;
    let rows: Vec<_> = answers.rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [Some("1"), Some("2")]);
    let stopped = answers.stopped.unwrap();
    assert_eq!(stopped.fault, &fault::QUERY_TIMEOUT);
    assert!(stopped.error.is_some(), "the server said so");
    assert_eq!(lease.ask("SELECT 5", after(5000)).await.unwrap().len(), 1);
    drop(lease);
    assert_eq!(pool.status().available, 1);
}
