//! A shop of a test's own, in a real PostgreSQL.

use deadpool_postgres::Pool;
use tria_devstack::TestDatabase;

use crate::pool::{migrated, to};

/// A shop of its own: an outlet, and products whose ids are their places here, from 1 on.
pub(crate) struct Shop {
    pub(crate) pool: Pool,
    database: TestDatabase,
}

/// Everything that a turn leaves, in one line.
const SUM: &str = "
SELECT concat_ws(' ',
    (SELECT concat_ws('/', count(*), sum(turns), sum(orders)) FROM conversation_sessions),
    (SELECT count(*) FROM conversation_messages),
    (SELECT concat_ws('/', sum(sessions), sum(messages), sum(orders), sum(spent))
       FROM user_interaction_summaries),
    (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items),
    (SELECT count(*) FROM delivery_orders), (SELECT count(*) FROM invoices),
    (SELECT sum(stock) FROM products), (SELECT count(*) FROM complaints),
    (SELECT count(*) FROM chat_answers))";

impl Shop {
    /// With products of these prices, minimums and stocks.
    pub(crate) async fn open(products: &[(&str, i32, i32)]) -> Self {
        let (database, pool) = migrated().await;
        let shop = Self { pool, database };
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

    /// Another pool into the same shop.
    pub(crate) fn pool_of(&self, connections: usize) -> Pool {
        to(&self.database, connections)
    }

    /// Everything that turns left, in one line.
    pub(crate) async fn sum(&self) -> String {
        let client = self.pool.get().await.unwrap();
        client.query_one(SUM, &[]).await.unwrap().get(0)
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
