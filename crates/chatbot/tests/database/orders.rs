//! Orders: priced here, and written once.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use rust_decimal::Decimal;
use tokio::task::JoinSet;
use tria_chatbot::orders::{Draft, DraftLine, Limits, OrderError, Placed, Problem, place};

use crate::shop::Shop;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

fn limits() -> Limits {
    Limits {
        max_quantity_per_item: 1000,
        max_line_items: 3,
        min_total: decimal("1.00"),
        max_total: decimal("5000.00"),
        tax_rate: decimal("0.06"),
    }
}

fn draft(key: &str, lines: &[(i64, u32)]) -> Draft {
    let line = |&(product_id, quantity): &(i64, u32)| DraftLine {
        product_id,
        quantity,
    };
    Draft {
        user_id: "u-1".to_owned(),
        outlet_id: 1,
        session_id: None,
        idempotency_key: key.to_owned(),
        request_hash: [7; 32],
        lines: lines.iter().map(line).collect(),
    }
}

impl Shop {
    async fn place(&self, draft: &Draft) -> Result<Placed, OrderError> {
        place(&self.pool, draft, &limits()).await
    }

    async fn problems(&self, draft: &Draft) -> Vec<Problem> {
        match self.place(draft).await {
            Err(OrderError::Refused(problems)) => problems,
            other => panic!("{other:?}"),
        }
    }

    /// All drafts at once.
    async fn race(
        &self,
        drafts: impl IntoIterator<Item = Draft>,
    ) -> Vec<Result<Placed, OrderError>> {
        let mut race = JoinSet::new();
        for draft in drafts {
            let pool = self.pool.clone();
            race.spawn(async move { place(&pool, &draft, &limits()).await });
        }
        race.join_all().await
    }
}

#[tokio::test]
async fn an_order_is_priced_here_and_written_with_its_delivery_and_its_invoice() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    let placed = shop.place(&draft("k", &[(2, 3), (1, 2)])).await.unwrap();
    assert!(!placed.was_there);
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
                      AND delivery_address = '1 Harbour Road, 10001 Porto, PT'";
    assert_eq!(shop.count(written).await, 1);
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 95);
}

#[tokio::test]
async fn a_key_that_comes_again_finds_its_order_and_no_other() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let first = shop.place(&draft("k", &[(1, 5)])).await.unwrap();
    // The price has changed meanwhile; what was agreed has not.
    shop.execute("UPDATE products SET unit_price = 99").await;
    let again = shop.place(&draft("k", &[(1, 5)])).await.unwrap();
    assert_eq!(
        again,
        Placed {
            was_there: true,
            ..first.clone()
        }
    );
    let mut other = draft("k", &[(1, 6)]);
    other.request_hash = [8; 32];
    assert!(matches!(
        shop.place(&other).await,
        Err(OrderError::KeyTaken)
    ));
    // Another user's key is another key.
    let mut foreign = draft("k", &[(1, 5)]);
    foreign.user_id = "u-2".to_owned();
    assert_ne!(shop.place(&foreign).await.unwrap().id, first.id);
    assert_eq!(shop.count("SELECT count(*) FROM orders").await, 2);
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_comes_forty_times_at_once_makes_one_order() {
    let shop = Shop::open(&[("10.00", 1, 5)]).await;
    let same = (0..40).map(|_| draft("k", &[(1, 5)]));
    let placed = shop.race(same).await.into_iter().map(Result::unwrap);
    let placed: Vec<Placed> = placed.collect();
    let ids: BTreeSet<_> = placed.iter().map(|order| order.id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(placed.iter().filter(|order| !order.was_there).count(), 1);
    assert_eq!(shop.count("SELECT count(*) FROM orders").await, 1);
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_buyers_cannot_take_the_last_box() {
    let shop = Shop::open(&[("10.00", 1, 7)]).await;
    let buyers = (0..30).map(|buyer| draft(&format!("k-{buyer}"), &[(1, 1)]));
    let outcomes = shop.race(buyers).await;
    let (placed, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((placed.len(), refused.len()), (7, 23));
    for outcome in refused {
        let Err(OrderError::Refused(problems)) = outcome else {
            panic!("{outcome:?}");
        };
        let name = "product 1".to_owned();
        assert_eq!(problems, [Problem::OutOfStock { name, left: 0 }]);
    }
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 0);
    assert_eq!(shop.count("SELECT sum(quantity) FROM order_items").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_of_the_same_goods_in_another_order_do_not_wait_for_each_other() {
    let shop = Shop::open(&[("1.00", 1, 1000), ("1.00", 1, 1000)]).await;
    let orders = (0..60).map(|number| {
        let lines = [(1, 1), (2, 1)];
        let (first, second) = (lines[number % 2], lines[(number + 1) % 2]);
        draft(&format!("k-{number}"), &[first, second])
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
    let mut nowhere = draft("k", &[(1, 4), (2, 1), (3, 1001)]);
    nowhere.outlet_id = 99;
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
    assert_eq!(shop.problems(&draft("k", &[])).await, [Problem::Empty]);
    let many = [(1, 5), (3, 1), (3, 2), (4, 1)];
    assert_eq!(
        shop.problems(&draft("k", &many)).await,
        [
            Problem::TooManyLines { most: 3 },
            Problem::Twice { product_id: 3 }
        ]
    );
    assert_eq!(
        shop.problems(&draft("k", &[(3, 5)])).await,
        [Problem::TotalTooSmall {
            total: decimal("0.53"),
            least: decimal("1.00")
        }]
    );
    assert_eq!(
        shop.problems(&draft("k", &[(1, u32::MAX)])).await,
        [Problem::AboveMaximum {
            name: name(1),
            maximum: 1000
        }]
    );
    shop.execute("UPDATE products SET unit_price = 1000 WHERE id = 1")
        .await;
    assert_eq!(
        shop.problems(&draft("k", &[(1, 5)])).await,
        [Problem::TotalTooLarge {
            total: decimal("5300.00"),
            greatest: decimal("5000.00")
        }]
    );
    assert_eq!(shop.count("SELECT count(*) FROM orders").await, 0);
    // The key is free as long as nothing was written under it.
    shop.place(&draft("k", &[(3, 20)])).await.unwrap();
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
            let order = draft(&key, &[(1, quantity), (2, quantity), (3, quantity)]);
            place(&shop.pool, &order, &limits).await.unwrap();
        }
    }
}

/// A client that hangs up in the middle leaves no half order, and its retry is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_leaves_all_or_nothing() {
    let shop = Shop::open(&[("10.00", 1, 10_000)]).await;
    for number in 0..40_u32 {
        let order = draft(&format!("k-{number}"), &[(1, 1)]);
        let patience = Duration::from_micros(u64::from(number) * 250);
        let _given_up = tokio::time::timeout(patience, shop.place(&order)).await;
        shop.place(&order).await.unwrap();
    }
    assert_eq!(shop.count("SELECT count(*) FROM orders").await, 40);
    assert_eq!(shop.count("SELECT count(*) FROM invoices").await, 40);
    assert_eq!(shop.count("SELECT sum(stock) FROM products").await, 9960);
}
