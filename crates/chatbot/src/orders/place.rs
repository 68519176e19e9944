//! Writes an order, its delivery and its invoice, and takes the goods from the stock, within a
//! transaction that somebody else opens and ends.

use deadpool_postgres::ClientWrapper;
use rust_decimal::Decimal;
use tokio_postgres::{Error, Statement};
use uuid::Uuid;

use super::{
    DraftLine, Placed,
    price::{Goods, Priced, Product},
};

/// An order as a customer means it: nothing of it is a price.
pub(crate) struct Asked<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) session_id: Uuid,
    pub(crate) idempotency_key: &'a str,
    pub(crate) request_hash: &'a [u8],
    /// Where it is delivered to.
    pub(crate) outlet_id: i64,
    pub(crate) lines: &'a [DraftLine],
}

/// The statements of an order, prepared for one connection.
pub(crate) struct Placing {
    products: Statement,
    outlet: Statement,
    order: Statement,
    items: Statement,
    stock: Statement,
    delivery: Statement,
    invoice: Statement,
}

/// Locked in the order in which `seed` locks them, so that nobody waits for each other.
const PRODUCTS: &str = "
SELECT id, sku, name, unit_price, minimum_order, stock FROM products
 WHERE id = ANY($1) AND active ORDER BY sku FOR UPDATE";

const OUTLET: &str = "SELECT FROM outlets WHERE id = $1 AND active";

const ORDER: &str = "
INSERT INTO orders (id, user_id, outlet_id, session_id, idempotency_key, request_hash, status,
                    subtotal, tax_rate, tax, total)
VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, $9, $10)";

const ITEMS: &str = "
INSERT INTO order_items (order_id, position, product_id, sku, quantity, unit_price, line_total)
SELECT $1::uuid, position, product_id, sku, quantity, unit_price, line_total
  FROM unnest($2::bigint[], $3::text[], $4::integer[], $5::numeric[], $6::numeric[])
       WITH ORDINALITY AS line (product_id, sku, quantity, unit_price, line_total, position)";

const STOCK: &str = "
UPDATE products SET stock = stock - line.quantity
  FROM unnest($1::bigint[], $2::integer[]) AS line (id, quantity) WHERE products.id = line.id";

/// The address is a copy: a delivery goes to where it was planned to.
const DELIVERY: &str = "
INSERT INTO delivery_orders (order_id, outlet_id, delivery_address)
SELECT $1::uuid, id,
       concat_ws(', ', address_line, concat_ws(' ', nullif(postal_code, ''), city), country)
  FROM outlets WHERE id = $2 RETURNING number";

const INVOICE: &str = "
INSERT INTO invoices (order_id, subtotal, tax_rate, tax, total)
VALUES ($1, $2, $3, $4, $5) RETURNING number";

// === impl Placing ===

impl Placing {
    pub(crate) async fn prepare(client: &ClientWrapper) -> Result<Self, Error> {
        Ok(Self {
            products: client.prepare_cached(PRODUCTS).await?,
            outlet: client.prepare_cached(OUTLET).await?,
            order: client.prepare_cached(ORDER).await?,
            items: client.prepare_cached(ITEMS).await?,
            stock: client.prepare_cached(STOCK).await?,
            delivery: client.prepare_cached(DELIVERY).await?,
            invoice: client.prepare_cached(INVOICE).await?,
        })
    }

    /// Locks the products: whoever wants them too waits until the transaction ends. Everything is
    /// sent when this is first polled.
    pub(crate) async fn lock(
        &self,
        client: &ClientWrapper,
        asked: &Asked<'_>,
    ) -> Result<Goods, Error> {
        let ids: Vec<i64> = asked.lines.iter().map(|line| line.product_id).collect();
        let products = async { client.query(&self.products, &[&ids]).await };
        let outlet = async { client.query_opt(&self.outlet, &[&asked.outlet_id]).await };
        let (products, outlet) = tokio::join!(biased; products, outlet);
        let products = products?.into_iter().map(|row| {
            let product = Product {
                sku: row.get(1),
                name: row.get(2),
                unit_price: row.get(3),
                minimum: count(row.get(4)),
                stock: count(row.get(5)),
            };
            (row.get(0), product)
        });
        Ok(Goods {
            products: products.collect(),
            is_delivered_to: outlet?.is_some(),
        })
    }

    /// Writes what was priced of the goods that [`Self::lock`] locked, in one round trip.
    pub(crate) async fn write(
        &self,
        client: &ClientWrapper,
        asked: &Asked<'_>,
        priced: Priced,
    ) -> Result<Placed, Error> {
        let Priced {
            lines,
            subtotal,
            tax_rate,
            tax,
            total,
        } = priced;
        let id = Uuid::new_v4();
        let products: Vec<i64> = asked.lines.iter().map(|line| line.product_id).collect();
        let quantities: Vec<i32> = lines.iter().map(|line| number(line.quantity)).collect();
        let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
        let each: Vec<Decimal> = lines.iter().map(|line| line.unit_price).collect();
        let totals: Vec<Decimal> = lines.iter().map(|line| line.line_total).collect();

        let order = async {
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
                &id,
                &asked.user_id,
                &asked.outlet_id,
                &asked.session_id,
                &asked.idempotency_key,
                &asked.request_hash,
                &subtotal,
                &tax_rate,
                &tax,
                &total,
            ];
            client.execute(&self.order, &values).await
        };
        let items = async {
            client
                .execute(
                    &self.items,
                    &[&id, &products, &skus, &quantities, &each, &totals],
                )
                .await
        };
        let stock = async { client.execute(&self.stock, &[&products, &quantities]).await };
        let delivery = async {
            client
                .query_one(&self.delivery, &[&id, &asked.outlet_id])
                .await
        };
        let invoice = async {
            client
                .query_one(&self.invoice, &[&id, &subtotal, &tax_rate, &tax, &total])
                .await
        };
        // All of them are waited for: the first that failed says why, the others after it only
        // that the transaction is over.
        let (order, items, stock, delivery, invoice) =
            tokio::join!(biased; order, items, stock, delivery, invoice);
        order?;
        items?;
        stock?;
        Ok(Placed {
            id,
            lines,
            subtotal,
            tax,
            total,
            delivery_number: delivery?.get(0),
            invoice_number: invoice?.get(0),
        })
    }
}

/// PostgreSQL's integers that are never negative here, which their constraints see to.
pub(super) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// As PostgreSQL's integer; what is greater was refused, since no stock is.
fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
