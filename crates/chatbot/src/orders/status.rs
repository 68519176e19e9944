//! How the orders of a user stand.

use std::collections::BTreeMap;

use deadpool_postgres::{ClientWrapper, Pool};
use rust_decimal::Decimal;
use time::{Date, OffsetDateTime};
use tokio_postgres::{Error, Row, types::ToSql};
use uuid::Uuid;

use super::{PlacedLine, Reference, place::count};
use crate::DatabaseError;

/// An order, with how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderStatus {
    /// The order.
    pub id: Uuid,
    /// When it was placed.
    pub created_at: OffsetDateTime,
    /// How it stands itself.
    pub status: OrderState,
    /// What is to be paid.
    pub total: Decimal,
    /// Its lines, in the order in which they were asked for.
    pub lines: Vec<PlacedLine>,
    /// Its deliveries, the newest last.
    pub deliveries: Vec<Delivery>,
    /// Its invoice.
    pub invoice: Option<Invoice>,
}

/// A delivery of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Its number, for people.
    pub number: i64,
    /// How it stands.
    pub status: DeliveryState,
    /// The day for which it is planned.
    pub scheduled_for: Option<Date>,
    /// When it was sent.
    pub dispatched_at: Option<OffsetDateTime>,
    /// When it arrived.
    pub delivered_at: Option<OffsetDateTime>,
}

/// The invoice of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invoice {
    /// Its number, for people.
    pub number: i64,
    /// How it stands.
    pub status: InvoiceState,
}

macro_rules! states {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $state:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $state,)*
            /// One that this version does not know.
            Unknown,
        }

        impl $name {
            /// As it stands in the database.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$state => $text,)*
                    Self::Unknown => "unknown",
                }
            }

            fn of(text: &str) -> Self {
                match text {
                    $($text => Self::$state,)*
                    _ => Self::Unknown,
                }
            }
        }
    };
}

states! {
    /// How an order stands.
    OrderState {
        /// It is not yet certain.
        Pending = "pending",
        /// It is certain.
        Confirmed = "confirmed",
        /// It has arrived.
        Delivered = "delivered",
        /// It was taken back.
        Cancelled = "cancelled",
    }
}

states! {
    /// How a delivery stands.
    DeliveryState {
        /// It is planned.
        Scheduled = "scheduled",
        /// It is on its way.
        Dispatched = "dispatched",
        /// It has arrived.
        Delivered = "delivered",
        /// It did not arrive.
        Failed = "failed",
        /// It was taken back.
        Cancelled = "cancelled",
    }
}

states! {
    /// How an invoice stands.
    InvoiceState {
        /// It was not sent yet.
        Draft = "draft",
        /// It was sent.
        Issued = "issued",
        /// It was paid.
        Paid = "paid",
        /// It was taken back.
        Void = "void",
    }
}

/// The newest orders of a user, the newest first and at most `limit` of them.
///
/// # Errors
/// [`DatabaseError`].
pub async fn recent(
    pool: &Pool,
    user_id: &str,
    limit: u32,
) -> Result<Vec<OrderStatus>, DatabaseError> {
    let client = pool.get().await?;
    let orders = orders(&client, RECENT, &[&user_id, &i64::from(limit)]).await?;
    Ok(orders)
}

/// The order of a user that a reference names; `None` also where it is somebody else's.
///
/// # Errors
/// [`DatabaseError`].
pub async fn find(
    pool: &Pool,
    user_id: &str,
    reference: &Reference,
) -> Result<Option<OrderStatus>, DatabaseError> {
    let client = pool.get().await?;
    let found = match reference {
        Reference::Order(id) => orders(&client, BY_ID, &[&user_id, id, id]).await?,
        Reference::OrderBeginning(digits) => {
            let (first, last) = beginning_with(*digits);
            orders(&client, BY_ID, &[&user_id, &first, &last]).await?
        }
        Reference::Delivery(number) => orders(&client, BY_DELIVERY, &[&user_id, number]).await?,
        Reference::Invoice(number) => orders(&client, BY_INVOICE, &[&user_id, number]).await?,
    };
    Ok(found.into_iter().next())
}

macro_rules! orders_where {
    ($condition:literal) => {
        concat!(
            "SELECT orders.id, orders.created_at, orders.status, orders.total,
                    invoices.number, invoices.status
               FROM orders LEFT JOIN invoices ON invoices.order_id = orders.id
              WHERE orders.user_id = $1 ",
            $condition
        )
    };
}

const RECENT: &str = orders_where!("ORDER BY orders.created_at DESC, orders.id LIMIT $2");

const BY_ID: &str = orders_where!(
    "AND orders.id BETWEEN $2 AND $3 ORDER BY orders.created_at DESC, orders.id LIMIT 1"
);

const BY_DELIVERY: &str =
    orders_where!("AND orders.id = (SELECT order_id FROM delivery_orders WHERE number = $2)");

const BY_INVOICE: &str = orders_where!("AND invoices.number = $2");

const LINES: &str = "
SELECT order_id, order_items.sku, products.name, quantity, order_items.unit_price, line_total
  FROM order_items JOIN products ON products.id = product_id
 WHERE order_id = ANY($1) ORDER BY order_id, position";

const DELIVERIES: &str = "
SELECT order_id, number, status, scheduled_for, dispatched_at, delivered_at
  FROM delivery_orders WHERE order_id = ANY($1) ORDER BY number";

async fn orders(
    client: &ClientWrapper,
    query: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<OrderStatus>, Error> {
    let query = client.prepare_cached(query).await?;
    let rows = client.query(&query, values).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let lines = client.prepare_cached(LINES).await?;
    let deliveries = client.prepare_cached(DELIVERIES).await?;
    let lines = async { client.query(&lines, &[&ids]).await };
    let deliveries = async { client.query(&deliveries, &[&ids]).await };
    let (lines, deliveries) = tokio::try_join!(lines, deliveries)?;
    let mut lines = by_order(&lines, line);
    let mut deliveries = by_order(&deliveries, Delivery::of);
    let orders = rows.iter().zip(ids).map(|(row, id)| OrderStatus {
        id,
        created_at: row.get(1),
        status: OrderState::of(row.get(2)),
        total: row.get(3),
        lines: lines.remove(&id).unwrap_or_default(),
        deliveries: deliveries.remove(&id).unwrap_or_default(),
        invoice: Invoice::of(row),
    });
    Ok(orders.collect())
}

/// What rows say after the id of their order.
fn by_order<T>(rows: &[Row], read: fn(&Row) -> T) -> BTreeMap<Uuid, Vec<T>> {
    let mut by_order: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
    for row in rows {
        by_order.entry(row.get(0)).or_default().push(read(row));
    }
    by_order
}

fn line(row: &Row) -> PlacedLine {
    PlacedLine {
        sku: row.get(1),
        name: row.get(2),
        quantity: count(row.get(3)),
        unit_price: row.get(4),
        line_total: row.get(5),
    }
}

/// The first and the last id that begin with these digits.
fn beginning_with(digits: u32) -> (Uuid, Uuid) {
    let first = u128::from(digits) << 96;
    (
        Uuid::from_u128(first),
        Uuid::from_u128(first | (u128::MAX >> 32)),
    )
}

// === impl Delivery ===

impl Delivery {
    fn of(row: &Row) -> Self {
        Self {
            number: row.get(1),
            status: DeliveryState::of(row.get(2)),
            scheduled_for: row.get(3),
            dispatched_at: row.get(4),
            delivered_at: row.get(5),
        }
    }
}

// === impl Invoice ===

impl Invoice {
    /// Of an order's row.
    fn of(row: &Row) -> Option<Self> {
        let number: Option<i64> = row.get(4);
        number.map(|number| Self {
            number,
            status: InvoiceState::of(row.get(5)),
        })
    }
}
