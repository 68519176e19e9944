//! A shop of a test's own, in a real PostgreSQL.

use deadpool_postgres::Pool;
use tria_devstack::TestDatabase;

use crate::pool::migrated;

/// A shop of its own: an outlet, and products whose ids are their places here, from 1 on.
pub(crate) struct Shop {
    pub(crate) pool: Pool,
    _database: TestDatabase,
}

impl Shop {
    /// With products of these prices, minimums and stocks.
    pub(crate) async fn open(products: &[(&str, i32, i32)]) -> Self {
        let (database, pool) = migrated().await;
        let shop = Self {
            pool,
            _database: database,
        };
        let outlet = "INSERT INTO outlets (name, address_line, postal_code, city, country)
                      VALUES ('Vesuvio', '1 Harbour Road', '10001', 'Porto', 'PT')";
        shop.execute(outlet).await;
        for (at, (price, minimum, stock)) in (1..).zip(products) {
            let product = format!(
                "INSERT INTO products (sku, name, category, unit_price, minimum_order, stock)
                 VALUES ('P-{at}', 'product {at}', 'boxes', {price}, {minimum}, {stock})"
            );
            shop.execute(&product).await;
        }
        shop
    }

    pub(crate) async fn execute(&self, statement: &str) {
        let client = self.pool.get().await.unwrap();
        client.batch_execute(statement).await.unwrap();
    }

    pub(crate) async fn count(&self, query: &str) -> i64 {
        let client = self.pool.get().await.unwrap();
        client.query_one(query, &[]).await.unwrap().get(0)
    }
}
