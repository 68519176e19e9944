//! The real migrations.

use std::collections::BTreeMap;

use tria_chatbot::schema::{LATEST, MigrateOptions, migrate, required_tables};

use crate::{pool::empty, support::*};

#[tokio::test]
async fn an_empty_database_is_brought_up_to_date_once() {
    let (_database, pool) = empty().await;
    let report = migrate(&pool, MigrateOptions::default()).await.unwrap();
    assert_eq!(report.current, LATEST);
    let numbers: Vec<u32> = report
        .applied
        .iter()
        .map(|applied| applied.version)
        .collect();
    assert_eq!(numbers, (1..=LATEST).collect::<Vec<_>>());
    assert!(report.newer.is_empty() && report.is_compatible());

    let again = migrate(&pool, MigrateOptions::default()).await.unwrap();
    assert!(again.applied.is_empty());
    assert_eq!(again.current, LATEST);
}

/// Eight servers that start at once: each migration is applied by one of them, all of them end
/// with the whole schema, and nobody keeps the lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_servers_at_once_migrate_once() {
    let (_database, pool) = empty().await;
    let servers: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { migrate(&pool, MigrateOptions::default()).await })
        })
        .collect();
    let mut applied = BTreeMap::<u32, u32>::new();
    for server in servers {
        let report = server.await.unwrap().unwrap();
        assert_eq!(report.current, LATEST);
        for migration in report.applied {
            *applied.entry(migration.version).or_default() += 1;
        }
    }
    assert_eq!(applied, (1..=LATEST).map(|number| (number, 1)).collect());
    let client = pool.get().await.unwrap();
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(count(&client, locks, &[]).await, 0);
}

#[tokio::test]
async fn the_required_tables_are_what_the_migrations_make() {
    let (_database, pool) = empty().await;
    migrate(&pool, MigrateOptions::default()).await.unwrap();
    let client = pool.get().await.unwrap();
    let query = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'
        ORDER BY table_name, ordinal_position";
    let mut made = BTreeMap::<String, Vec<String>>::new();
    for row in client.query(query, &[]).await.unwrap() {
        made.entry(row.get(0)).or_default().push(row.get(1));
    }
    let required = required_tables().iter().map(|table| {
        let columns = table.columns.iter().map(ToString::to_string).collect();
        (table.name.to_owned(), columns)
    });
    assert_eq!(made, required.collect());
    let main = required_tables()
        .iter()
        .filter(|table| table.detail_of.is_none());
    assert_eq!(main.count(), 8);
}

/// A foreign key without an index makes every delete of the row it points to a full scan.
#[tokio::test]
async fn every_foreign_key_has_an_index() {
    let (_database, pool) = empty().await;
    migrate(&pool, MigrateOptions::default()).await.unwrap();
    let client = pool.get().await.unwrap();
    let query = "
SELECT conrelid::regclass::text || ' ' || conname FROM pg_constraint AS key
 WHERE contype = 'f' AND NOT EXISTS (
     SELECT FROM pg_index WHERE indrelid = key.conrelid AND indkey[0] = key.conkey[1])";
    let bare: Vec<String> = client
        .query(query, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(bare, [] as [&str; 0]);
}
