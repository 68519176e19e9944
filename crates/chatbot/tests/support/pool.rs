//! Pools to databases that a test owns.

use deadpool_postgres::{Manager, Pool, Runtime};
use tokio_postgres::NoTls;
use tria_chatbot::schema::{MigrateOptions, migrate};
use tria_devstack::TestDatabase;

/// An own, empty database.
pub(crate) async fn empty() -> (TestDatabase, Pool) {
    let stack = tria_devstack::shared().await.unwrap();
    let database = stack.fresh_database().await.unwrap();
    let pool = to(&database, 10);
    (database, pool)
}

/// A pool of so many connections.
pub(crate) fn to(database: &TestDatabase, connections: usize) -> Pool {
    let manager = Manager::new(database.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .build();
    pool.unwrap()
}

/// An own database with the schema and nothing in it.
pub(crate) async fn migrated() -> (TestDatabase, Pool) {
    let (database, pool) = empty().await;
    migrate(&pool, MigrateOptions::default()).await.unwrap();
    (database, pool)
}
