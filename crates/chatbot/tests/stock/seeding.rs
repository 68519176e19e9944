//! The catalogue, brought into a real database.

use std::time::{Duration, SystemTime};

use deadpool_postgres::Pool;
use tria_chatbot::catalogue::{Changes, SeedError, SeedOptions, seed};

use crate::{
    pool::migrated,
    support::{OUTLETS, PRODUCTS, catalogue, seeded},
};

/// Name, price, stock, whether it is active, and when it was touched.
async fn product(pool: &Pool, sku: &str) -> (String, String, i32, bool, SystemTime) {
    let query = "
SELECT name, unit_price::text, stock, active, updated_at FROM products WHERE sku = $1";
    let client = pool.get().await.unwrap();
    let row = client.query_one(query, &[&sku]).await.unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
}

fn changes(added: usize, changed: usize, unchanged: usize, deactivated: usize) -> Changes {
    Changes {
        added,
        changed,
        unchanged,
        deactivated,
    }
}

#[tokio::test]
async fn a_second_run_touches_nothing() {
    let (_database, pool) = migrated().await;
    let first = seeded(&pool, &PRODUCTS, &OUTLETS).await;
    assert_eq!(first.products, changes(3, 0, 0, 0));
    assert_eq!(first.outlets, changes(2, 0, 0, 0));
    let before = product(&pool, "NAP-2").await;
    assert_eq!((&*before.0, &*before.1, before.2), ("Napkins", "3.33", 7));
    let second = seeded(&pool, &PRODUCTS, &OUTLETS).await;
    assert_eq!(second.products, changes(0, 0, 3, 0));
    assert_eq!(second.outlets, changes(0, 0, 2, 0));
    assert_eq!(product(&pool, "NAP-2").await, before);
}

#[tokio::test]
async fn only_what_changed_is_written_and_what_is_gone_becomes_inactive() {
    let (_database, pool) = migrated().await;
    seeded(&pool, &PRODUCTS, &OUTLETS).await;
    let cup = product(&pool, "CUP-2").await;
    let dearer = PRODUCTS[0].replace("12.50", "12.75");
    let without = seeded(&pool, &[&dearer, PRODUCTS[1]], &OUTLETS[..1]).await;
    assert_eq!(without.products, changes(0, 1, 1, 1));
    assert_eq!(without.outlets, changes(0, 0, 1, 1));
    assert_eq!(product(&pool, "BOX-33").await.1, "12.75");
    assert_eq!(product(&pool, "CUP-2").await, cup);
    let napkins = product(&pool, "NAP-2").await;
    assert!(!napkins.3);

    // What stays away is not touched again; what comes back is active again.
    let again = seeded(&pool, &[&dearer, PRODUCTS[1]], &OUTLETS[..1]).await;
    assert_eq!(again.products, changes(0, 0, 2, 0));
    assert_eq!(product(&pool, "NAP-2").await, napkins);
    let back = seeded(&pool, &[&dearer, PRODUCTS[1], PRODUCTS[2]], &OUTLETS).await;
    assert_eq!(back.products, changes(0, 1, 2, 0));
    assert_eq!(back.outlets, changes(0, 1, 1, 0));
    assert!(product(&pool, "NAP-2").await.3);
}

#[tokio::test]
async fn the_stock_of_a_running_shop_stays_unless_it_is_to_be_reset() {
    let (_database, pool) = migrated().await;
    seeded(&pool, &PRODUCTS, &OUTLETS).await;
    let client = pool.get().await.unwrap();
    let sold = "UPDATE products SET stock = stock - 1 WHERE sku = 'BOX-33'";
    client.batch_execute(sold).await.unwrap();
    let dearer = PRODUCTS[0].replace("12.50", "13.00");
    let rows = [&*dearer, PRODUCTS[1], PRODUCTS[2]];
    seeded(&pool, &rows, &OUTLETS).await;
    assert_eq!(product(&pool, "BOX-33").await.2, 39);

    let options = SeedOptions {
        reset_stock: true,
        ..SeedOptions::default()
    };
    let reset = seed(&pool, &catalogue(&rows, &OUTLETS), options).await;
    assert_eq!(reset.unwrap().products, changes(0, 1, 2, 0));
    assert_eq!(product(&pool, "BOX-33").await.2, 40);
}

#[tokio::test]
async fn two_at_once_add_each_row_once() {
    let (_database, pool) = migrated().await;
    let catalogue = catalogue(&PRODUCTS, &OUTLETS);
    let run = || seed(&pool, &catalogue, SeedOptions::default());
    let (one, other) = tokio::join!(run(), run());
    let mut added = [one, other].map(|it| it.unwrap().products.added);
    added.sort_unstable();
    assert_eq!(added, [0, 3]);
}

#[tokio::test]
async fn a_row_that_is_held_for_too_long_ends_it_and_nothing_was_changed() {
    let (_database, pool) = migrated().await;
    seeded(&pool, &PRODUCTS[1..], &OUTLETS).await;
    let mut holder = pool.get().await.unwrap();
    let held = holder.transaction().await.unwrap();
    let row = "SELECT 1 FROM products WHERE sku = 'NAP-2' FOR UPDATE";
    held.execute(row, &[]).await.unwrap();
    let dearer = PRODUCTS[2].replace("3.33", "3.50");
    let options = SeedOptions {
        lock_wait: Duration::from_millis(50),
        ..SeedOptions::default()
    };
    let rows = [PRODUCTS[0], PRODUCTS[1], &dearer];
    let refused = seed(&pool, &catalogue(&rows, &OUTLETS), options).await;
    assert!(matches!(refused, Err(SeedError::Write(_))), "{refused:?}");
    held.rollback().await.unwrap();
    let boxes = "SELECT count(*) FROM products WHERE sku = 'BOX-33'";
    let count = holder.query_one(boxes, &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 0);
}
