//! What the tests share.

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tria_devstack::TestDatabase;

use crate::pool::migrated;

/// An own database with the schema, one outlet (1) and two products (1 and 2).
pub(crate) async fn shop() -> (TestDatabase, Object) {
    let (database, pool) = migrated().await;
    let client = pool.get().await.unwrap();
    let goods = "
INSERT INTO outlets (name, address_line, city, country) VALUES ('Napoli', 'Via Roma 1', 'Napoli', 'IT');
INSERT INTO products (sku, name, category, unit_price, stock) VALUES
    ('BOX-33', 'pizza box 33 cm', 'boxes', 12.50, 100),
    ('NAP-2', 'napkins', 'paper', 3.33, 7);";
    client.batch_execute(goods).await.unwrap();
    (database, client)
}

/// Asserts that a statement is refused, and by which constraint.
pub(crate) async fn refused(client: &Object, constraint: &str, statement: &str) {
    let error = client.batch_execute(statement).await.unwrap_err();
    let told = error.as_db_error().unwrap_or_else(|| panic!("{error}"));
    assert_eq!(told.constraint(), Some(constraint), "{statement}: {told}");
    client.batch_execute("ROLLBACK").await.unwrap();
}

pub(crate) async fn count(client: &Object, query: &str, values: &[&(dyn ToSql + Sync)]) -> i64 {
    client.query_one(query, values).await.unwrap().get(0)
}
