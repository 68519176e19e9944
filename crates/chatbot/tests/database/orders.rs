//! Orders: priced here, and written once.

use rust_decimal::Decimal;
use tria_chatbot::{
    orders::{Limits, Placed, Problem},
    turns::{Done, TurnError, keep},
};

use crate::{
    said::{Asked, Said, compose, decimal, hello, limits, order},
    shop::Shop,
};

impl Shop {
    async fn place(&self, said: &Said) -> Placed {
        match self.keep(said).await.unwrap().done {
            Some(Done::Order(placed)) => placed,
            other => panic!("{other:?}"),
        }
    }

    async fn problems(&self, said: &Said) -> Vec<Problem> {
        match self.keep(said).await {
            Err(TurnError::Refused(problems)) => problems,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_order_is_priced_here_and_written_with_its_delivery_and_its_invoice() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    let said = order("k", &[(2, 3), (1, 2)]);
    let placed = shop.place(&said).await;
    assert_eq!(placed.subtotal, decimal("27.67"));
    assert_eq!(
        (placed.tax, placed.total),
        (decimal("1.66"), decimal("29.33"))
    );
    let told: Vec<(&str, u32)> = placed
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity))
        .collect();
    assert_eq!(told, [("P-2", 3), ("P-1", 2)], "as asked for");
    let written = "SELECT count(*) FROM orders JOIN delivery_orders ON order_id = orders.id
                     JOIN invoices USING (order_id)
                    WHERE orders.total = 29.33 AND invoices.total = 29.33
                      AND session_id IS NOT NULL AND orders.status = 'confirmed'
                      AND delivery_address = '1 Harbour Road, 10001 Porto, PT'";
    assert_eq!(shop.count(written).await, 1);
    let lines = "SELECT count(*) FROM order_items
                  WHERE (position, sku, quantity, line_total)
                     IN ((1, 'P-2', 3, 2.97), (2, 'P-1', 2, 24.70))";
    assert_eq!(shop.count(lines).await, 2);
    let left = "SELECT count(*) FROM products WHERE (id, stock) IN ((1, 48), (2, 47))";
    assert_eq!(shop.count(left).await, 2);
    let known = "SELECT count(*) FROM user_interaction_summaries
                   JOIN conversation_sessions USING (user_id)
                  WHERE user_interaction_summaries.orders = 1 AND spent = 29.33
                    AND conversation_sessions.orders = 1";
    assert_eq!(shop.count(known).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_buyers_cannot_take_the_last_box() {
    let shop = Shop::open(&[("10.00", 1, 7)]).await;
    let buyers = (0..30).map(|buyer| Said {
        user: format!("u-{buyer}"),
        ..order(&format!("k-{buyer}"), &[(1, 1)])
    });
    let outcomes = shop.race(buyers).await;
    let (placed, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((placed.len(), refused.len()), (7, 23));
    for outcome in refused {
        let Err(TurnError::Refused(problems)) = outcome else {
            panic!("{outcome:?}");
        };
        let name = "product 1".to_owned();
        assert_eq!(problems, [Problem::OutOfStock { name, left: 0 }]);
    }
    assert_eq!(shop.sum().await, "7/7/7 14 7/7/7/74.20 7 7 7 7 0 0 7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_of_the_same_goods_in_another_order_do_not_wait_for_each_other() {
    let shop = Shop::open(&[("1.00", 1, 1000), ("1.00", 1, 1000)]).await;
    let orders = (0..60).map(|number| {
        let lines = [(1, 1), (2, 1)];
        let (first, second) = (lines[number % 2], lines[(number + 1) % 2]);
        order(&format!("k-{number}"), &[first, second])
    });
    for outcome in shop.race(orders).await {
        outcome.unwrap();
    }
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 1880);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_nothing_is_written() {
    let shop = Shop::open(&[("10.00", 5, 50), ("10.00", 1, 2), ("0.10", 1, 9000)]).await;
    shop.execute("UPDATE products SET active = false WHERE id = 2")
        .await;
    let name = |at: i64| format!("product {at}");
    let before = shop.sum().await;
    let mut nowhere = order("k", &[(1, 4), (2, 1), (3, 1001)]);
    if let Asked::Order(outlet_id, _) = &mut nowhere.work {
        *outlet_id = 99;
    }
    assert_eq!(
        shop.problems(&nowhere).await,
        [
            Problem::BelowMinimum {
                name: name(1),
                minimum: 5
            },
            Problem::NoSuchProduct { product_id: 2 },
            Problem::AboveMaximum {
                name: name(3),
                maximum: 1000
            },
            Problem::NoSuchOutlet,
        ]
    );
    assert_eq!(shop.problems(&order("k", &[])).await, [Problem::Empty]);
    let many = [(1, 5), (3, 1), (3, 2), (4, 1)];
    assert_eq!(
        shop.problems(&order("k", &many)).await,
        [
            Problem::TooManyLines { most: 3 },
            Problem::Twice { product_id: 3 }
        ]
    );
    assert_eq!(
        shop.problems(&order("k", &[(3, 5)])).await,
        [Problem::TotalTooSmall {
            total: decimal("0.53"),
            least: decimal("1.00")
        }]
    );
    assert_eq!(
        shop.problems(&order("k", &[(1, u32::MAX)])).await,
        [Problem::AboveMaximum {
            name: name(1),
            maximum: 1000
        }]
    );
    shop.execute("UPDATE products SET unit_price = 1000 WHERE id = 1")
        .await;
    assert_eq!(
        shop.problems(&order("k", &[(1, 5)])).await,
        [Problem::TotalTooLarge {
            total: decimal("5300.00"),
            greatest: decimal("5000.00")
        }]
    );
    assert_eq!(shop.sum().await, before);
}

/// What cannot be ordered is told in a turn of its own, under the same key.
#[tokio::test]
async fn a_refusal_leaves_the_key_free_for_the_turn_that_tells_it() {
    let shop = Shop::open(&[("10.00", 1, 2)]).await;
    let asked = order("k", &[(1, 3)]);
    shop.problems(&asked).await;
    let told = Said {
        work: Asked::Nothing,
        ..asked.clone()
    };
    let answer = shop.keep(&told).await.unwrap().answer;
    // The order that comes again gets that answer, though there is enough by now.
    shop.execute("UPDATE products SET stock = 50").await;
    let again = shop.keep(&asked).await.unwrap();
    assert!(again.was_there());
    assert_eq!(again.answer, answer);
    assert_eq!(shop.sum().await, "1/1/0 2 1/1/0/0.00 0 0 0 0 50 0 1");
}

/// The database rounds half away from zero, and refuses an order that is a cent off.
#[tokio::test]
async fn the_tax_is_rounded_as_the_database_rounds_it() {
    let shop = Shop::open(&[("0.25", 1, 9000), ("0.75", 1, 9000), ("3.33", 1, 9000)]).await;
    for (number, rate) in ["0", "0.02", "0.05", "0.1", "0.085", "0.090909", "1"]
        .iter()
        .enumerate()
    {
        for quantity in [1, 2, 3, 7, 11] {
            let limits = Limits {
                tax_rate: decimal(rate),
                min_total: Decimal::ZERO,
                ..limits()
            };
            let key = format!("{number}-{quantity}");
            let said = order(&key, &[(1, quantity), (2, quantity), (3, quantity)]);
            keep(&shop.pool, &said.turn(), &limits, compose)
                .await
                .unwrap();
        }
    }
}

/// Prices change; what was agreed does not, and neither does its answer.
#[tokio::test]
async fn an_order_that_comes_again_is_the_same_order() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let said = order("k", &[(1, 5)]);
    let first = shop.keep(&said).await.unwrap();
    shop.execute("UPDATE products SET unit_price = 99, stock = 0")
        .await;
    // A retry opens a conversation of its own if it does not know that one was opened.
    let retry = order("k", &[(1, 5)]);
    let again = shop.keep(&retry).await.unwrap();
    assert!(again.was_there() && !first.was_there());
    assert_eq!(again.answer, first.answer);
    let other = Said {
        hash: [8; 32],
        ..order("k", &[(1, 6)])
    };
    assert!(matches!(shop.keep(&other).await, Err(TurnError::KeyTaken)));
    // Another user's key is another key.
    shop.execute("UPDATE products SET stock = 50").await;
    let foreign = Said {
        user: "u-2".to_owned(),
        ..hello("k")
    };
    assert!(!shop.keep(&foreign).await.unwrap().was_there());
    assert_eq!(shop.count("SELECT count(*) FROM orders").await, 1);
}
