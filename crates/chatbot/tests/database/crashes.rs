//! Turns that are cut off at any moment, as by a process that is killed, and come again.

use std::{
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use tria_chatbot::turns::{Kept, TurnError};

use crate::{
    said::{Make, complaint, hello, order},
    shop::Shop,
};

type Outcome = Result<Kept, TurnError>;

/// Polls at most so many times; gives what came of it, if it ended.
async fn poll_times(
    mut keeping: Pin<&mut impl Future<Output = Outcome>>,
    times: usize,
) -> Option<Outcome> {
    let mut left = times;
    std::future::poll_fn(|task| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match keeping.as_mut().poll(task) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What one turn of each kind leaves, as [`Shop::sum`] tells it but for the stock.
const WHOLE: [(Make, &str, i64); 3] = [
    (hello, "1/1/0 2 1/1/0/0.00 0 0 0 0", 0),
    (|key| complaint(key, None), "1/1/0 2 1/1/0/0.00 0 0 0 0", 1),
    (
        |key| order(key, &[(1, 1), (2, 1), (3, 1)]),
        "1/1/1 2 1/1/1/31.80 1 3 1 1",
        0,
    ),
];

/// The summary has no row yet.
const NOTHING: &str = "0 0  0 0 0 0 30 0 0";

async fn shop() -> Shop {
    Shop::open(&[("10.00", 1, 10), ("10.00", 1, 10), ("10.00", 1, 10)]).await
}

/// Makes the shop forget every turn.
const FORGET: &str = "
DELETE FROM chat_answers; DELETE FROM complaints; DELETE FROM invoices;
DELETE FROM delivery_orders; DELETE FROM orders; DELETE FROM user_interaction_summaries;
DELETE FROM conversation_sessions; UPDATE products SET stock = 10";

impl Shop {
    /// Whether all of the turn is there; a part of it is never.
    async fn is_whole(&self, at: usize) -> bool {
        let (_, left, complaints) = WHOLE[at];
        let stock = if at == 2 { 27 } else { 30 };
        let whole = format!("{left} {stock} {complaints} 1");
        let sum = self.sum().await;
        assert!(sum == whole || sum == NOTHING, "{sum}");
        sum == whole
    }

    /// Waits until the server has done with every connection but one.
    async fn alone(&self) {
        let others = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()
                         AND backend_type = 'client backend'";
        let waiting = async {
            while self.count(others).await > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        waited.expect("the others end");
    }
}

#[tokio::test]
async fn a_turn_that_is_dropped_at_any_poll_is_there_or_is_not() {
    let shop = shop().await;
    for at in 0..WHOLE.len() {
        let (mut wholes, mut nothings) = (0, 0);
        // How often it is polled depends on how the answers arrive.
        for _ in 0..50 {
            for is_whole in drops(&shop, at, true).await {
                wholes += usize::from(is_whole);
                nothings += usize::from(!is_whole);
            }
            if wholes > 2 && nothings > 2 {
                break;
            }
        }
        assert!(wholes > 2 && nothings > 2, "{wholes} {nothings}");
        drops(&shop, at, false).await;
    }
}

/// Drops a turn after no poll, one poll and so on, on a connection that knows its statements or
/// does not; gives whether it was there each time.
async fn drops(shop: &Shop, at: usize, is_prepared: bool) -> Vec<bool> {
    let (make, ..) = WHOLE[at];
    let mut outcomes = Vec::new();
    for polls in 0.. {
        let pool = shop.pool_of(1);
        if is_prepared {
            make("prepared").keep(&pool).await.unwrap();
        }
        shop.execute(FORGET).await;
        let first = make("k");
        let ended = {
            let mut keeping = pin!(first.keep(&pool));
            poll_times(keeping.as_mut(), polls).await
        };
        drop(pool);
        shop.alone().await;
        let is_whole = shop.is_whole(at).await;
        let retried = shop.keep(&make("k")).await.unwrap();
        assert_eq!(retried.was_there(), is_whole);
        assert!(shop.is_whole(at).await);
        if let Some(outcome) = ended {
            assert_eq!(outcome.unwrap().answer, retried.answer);
            break;
        }
        outcomes.push(is_whole);
    }
    outcomes
}

/// The server ends the connection, and nobody knows how far the turn came.
#[tokio::test]
async fn a_turn_that_loses_its_connection_at_any_poll_can_be_tried_again() {
    let shop = shop().await;
    for (at, (make, ..)) in WHOLE.iter().enumerate() {
        for polls in 1.. {
            let pool = shop.pool_of(1);
            make("prepared").keep(&pool).await.unwrap();
            shop.execute(FORGET).await;
            let said = make("k");
            let mut outcome = {
                let mut keeping = pin!(said.keep(&pool));
                if let Some(outcome) = poll_times(keeping.as_mut(), polls).await {
                    outcome.unwrap();
                    break;
                }
                shop.execute(TERMINATE).await;
                keeping.await
            };
            while let Err(error) = &outcome {
                assert!(error.is_transient(), "{error:?}");
                outcome = said.keep(&pool).await;
            }
            assert!(shop.is_whole(at).await);
        }
    }
}

/// All other connections into this database.
const TERMINATE: &str = "
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// A client that hangs up in the middle, and one that retries meanwhile on another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_that_meets_what_was_left_behind_makes_no_second_turn() {
    let shop = shop().await;
    shop.execute("UPDATE products SET stock = 10000").await;
    for number in 0..60_u32 {
        let said = order(&format!("k-{number}"), &[(1, 1), (2, 1)]);
        let patience = Duration::from_micros(u64::from(number) * 150);
        let _given_up = tokio::time::timeout(patience, shop.keep(&said)).await;
        let retry = order(&format!("k-{number}"), &[(1, 1), (2, 1)]);
        shop.keep(&retry).await.unwrap();
    }
    let sum = "60/60/60 120 60/60/60/1272.00 60 120 60 60 29880 0 60";
    assert_eq!(shop.sum().await, sum);
}

/// What still waits in the server is nothing for the next user of the pool.
#[tokio::test]
async fn a_turn_that_is_dropped_while_it_waits_leaves_the_pool_as_it_was() {
    let shop = shop().await;
    let other = shop.pool_of(1).get().await.unwrap();
    let held = "BEGIN; SELECT FROM products FOR UPDATE";
    other.batch_execute(held).await.unwrap();
    let pool = shop.pool_of(1);
    let said = order("k", &[(1, 1)]);
    let waits = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while shop.count(waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        kept = said.keep(&pool) => panic!("{kept:?}"),
        () = waits => {}
    }
    hello("k-2").keep(&pool).await.unwrap();
    other.batch_execute("ROLLBACK").await.unwrap();
    let retried = order("k", &[(1, 1)]);
    assert!(!retried.keep(&pool).await.unwrap().was_there());
}
