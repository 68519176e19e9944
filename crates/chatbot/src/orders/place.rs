//! Writes an order, its delivery and its invoice, and takes the goods from the stock: all of it or
//! nothing, and once for each key.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{Client, Pool, Transaction};
use rust_decimal::{Decimal, RoundingStrategy};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::{Draft, DraftLine, Limits, OrderError, Placed, PlacedLine, Problem};

/// A product as it is while its row is locked.
struct Product {
    sku: String,
    name: String,
    unit_price: Decimal,
    minimum: u32,
    stock: u32,
}

/// What an order comes to.
struct Sum {
    subtotal: Decimal,
    tax: Decimal,
    total: Decimal,
}

/// Locked in the order in which `seed` locks them, so that nobody waits for each other.
const PRODUCTS: &str = "
SELECT id, sku, name, unit_price, minimum_order, stock FROM products
 WHERE id = ANY($1) AND active ORDER BY sku FOR UPDATE";

const ORDER: &str = "
INSERT INTO orders (user_id, outlet_id, session_id, idempotency_key, request_hash, status,
                    subtotal, tax_rate, tax, total)
VALUES ($1, $2, $3, $4, $5, 'confirmed', $6, $7, $8, $9) RETURNING id";

const ITEM: &str = "
INSERT INTO order_items (order_id, position, product_id, sku, quantity, unit_price, line_total)
VALUES ($1, $2, $3, $4, $5, $6, $7)";

const STOCK: &str = "UPDATE products SET stock = stock - $2 WHERE id = $1";

/// The address is a copy: a delivery goes to where it was planned to.
const DELIVERY: &str = "
INSERT INTO delivery_orders (order_id, outlet_id, delivery_address)
SELECT $1, id, concat_ws(', ', address_line, concat_ws(' ', nullif(postal_code, ''), city), country)
  FROM outlets WHERE id = $2 RETURNING number";

const INVOICE: &str = "
INSERT INTO invoices (order_id, subtotal, tax_rate, tax, total)
VALUES ($1, $2, $3, $4, $5) RETURNING number";

const KNOWN: &str = "
SELECT orders.id, request_hash, orders.subtotal, orders.tax, orders.total,
       delivery_orders.number, invoices.number
  FROM orders
  JOIN delivery_orders ON delivery_orders.order_id = orders.id
  JOIN invoices ON invoices.order_id = orders.id
 WHERE user_id = $1 AND idempotency_key = $2
 ORDER BY delivery_orders.number LIMIT 1";

const KNOWN_LINES: &str = "
SELECT order_items.sku, products.name, quantity, order_items.unit_price, line_total
  FROM order_items JOIN products ON products.id = product_id
 WHERE order_id = $1 ORDER BY position";

/// Writes the order, or finds the one that was written under its key before.
///
/// # Errors
/// [`OrderError`]; nothing is written then. Dropping the future before its end writes nothing,
/// unless the commit is with the server already; then the key finds the order.
pub async fn place(pool: &Pool, draft: &Draft, limits: &Limits) -> Result<Placed, OrderError> {
    let mut client = pool.get().await?;
    if let Some(known) = known(&client, draft).await? {
        return Ok(known);
    }
    let transaction = client.transaction().await?;
    match write(&transaction, draft, limits).await {
        Ok(placed) => {
            transaction.commit().await?;
            Ok(placed)
        }
        Err(error) => {
            transaction.rollback().await?;
            // Somebody else was quicker with the same key, and has committed.
            match known(&client, draft).await? {
                Some(known) if may_be_a_race(&error) => Ok(known),
                _ => Err(error),
            }
        }
    }
}

/// Whether the error can come from the same order having been written meanwhile: its key was
/// taken, or it took the last of the stock.
fn may_be_a_race(error: &OrderError) -> bool {
    match error {
        OrderError::Refused(_) => true,
        OrderError::Database(error) => error.code() == Some(&SqlState::UNIQUE_VIOLATION),
        _ => false,
    }
}

/// The order that was written under the key.
async fn known(client: &Client, draft: &Draft) -> Result<Option<Placed>, OrderError> {
    let key = &draft.idempotency_key;
    let found = client.query_opt(KNOWN, &[&draft.user_id, key]).await?;
    let Some(row) = found else { return Ok(None) };
    if row.get::<_, &[u8]>(1) != draft.request_hash {
        return Err(OrderError::KeyTaken);
    }
    let id: Uuid = row.get(0);
    let lines = client.query(KNOWN_LINES, &[&id]).await?;
    let lines = lines.iter().map(|line| PlacedLine {
        sku: line.get(0),
        name: line.get(1),
        quantity: count(line.get(2)),
        unit_price: line.get(3),
        line_total: line.get(4),
    });
    Ok(Some(Placed {
        id,
        was_there: true,
        lines: lines.collect(),
        subtotal: row.get(2),
        tax: row.get(3),
        total: row.get(4),
        delivery_number: row.get(5),
        invoice_number: row.get(6),
    }))
}

async fn write(
    transaction: &Transaction<'_>,
    draft: &Draft,
    limits: &Limits,
) -> Result<Placed, OrderError> {
    refuse(of_form(&draft.lines, limits))?;
    let ids: Vec<i64> = draft.lines.iter().map(|line| line.product_id).collect();
    let rows = transaction.query(PRODUCTS, &[&ids]).await?;
    let products = rows.iter().map(|row| {
        let product = Product {
            sku: row.get(1),
            name: row.get(2),
            unit_price: row.get(3),
            minimum: count(row.get(4)),
            stock: count(row.get(5)),
        };
        (row.get(0), product)
    });
    let products: BTreeMap<i64, Product> = products.collect();
    let outlet = "SELECT 1 FROM outlets WHERE id = $1 AND active";
    let outlet = transaction.query_opt(outlet, &[&draft.outlet_id]).await?;
    let mut problems = of_goods(&draft.lines, &products, limits);
    if outlet.is_none() {
        problems.push(Problem::NoSuchOutlet);
    }
    refuse(problems)?;
    let lines = priced(&draft.lines, &products);
    let sum = Sum::of(&lines, limits.tax_rate);
    refuse(of_total(&sum, limits))?;

    let order = transaction
        .query_one(
            ORDER,
            &[
                &draft.user_id,
                &draft.outlet_id,
                &draft.session_id,
                &draft.idempotency_key,
                &draft.request_hash.as_slice(),
                &sum.subtotal,
                &limits.tax_rate,
                &sum.tax,
                &sum.total,
            ],
        )
        .await?;
    let id: Uuid = order.get(0);
    take(transaction, id, &draft.lines, &lines).await?;
    let delivery = transaction
        .query_one(DELIVERY, &[&id, &draft.outlet_id])
        .await?;
    let invoice = transaction
        .query_one(
            INVOICE,
            &[&id, &sum.subtotal, &limits.tax_rate, &sum.tax, &sum.total],
        )
        .await?;
    Ok(Placed {
        id,
        was_there: false,
        lines,
        subtotal: sum.subtotal,
        tax: sum.tax,
        total: sum.total,
        delivery_number: delivery.get(0),
        invoice_number: invoice.get(0),
    })
}

/// Writes the lines, and takes their goods from the stock.
async fn take(
    transaction: &Transaction<'_>,
    order: Uuid,
    asked: &[DraftLine],
    lines: &[PlacedLine],
) -> Result<(), OrderError> {
    for (position, (asked, line)) in (1_i16..).zip(asked.iter().zip(lines)) {
        let quantity = number(asked.quantity);
        transaction
            .execute(
                ITEM,
                &[
                    &order,
                    &position,
                    &asked.product_id,
                    &line.sku,
                    &quantity,
                    &line.unit_price,
                    &line.line_total,
                ],
            )
            .await?;
        transaction
            .execute(STOCK, &[&asked.product_id, &quantity])
            .await?;
    }
    Ok(())
}

fn refuse(problems: Vec<Problem>) -> Result<(), OrderError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrderError::Refused(problems))
    }
}

/// What is wrong whatever is sold.
fn of_form(lines: &[DraftLine], limits: &Limits) -> Vec<Problem> {
    let mut problems = Vec::new();
    if lines.is_empty() {
        problems.push(Problem::Empty);
    }
    // A position is a small integer, whatever the limit.
    let most = limits.max_line_items.min(10_000);
    if lines.len() > most {
        problems.push(Problem::TooManyLines { most });
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for line in lines {
        if !seen.insert(line.product_id) {
            twice.insert(line.product_id);
        }
    }
    problems.extend(
        twice
            .into_iter()
            .map(|product_id| Problem::Twice { product_id }),
    );
    problems
}

/// What is wrong with the goods.
fn of_goods(
    lines: &[DraftLine],
    products: &BTreeMap<i64, Product>,
    limits: &Limits,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for &DraftLine {
        product_id,
        quantity,
    } in lines
    {
        let Some(product) = products.get(&product_id) else {
            problems.push(Problem::NoSuchProduct { product_id });
            continue;
        };
        let name = product.name.clone();
        let maximum = limits.max_quantity_per_item;
        if quantity < product.minimum {
            let minimum = product.minimum;
            problems.push(Problem::BelowMinimum { name, minimum });
        } else if quantity > maximum {
            problems.push(Problem::AboveMaximum { name, maximum });
        } else if quantity > product.stock {
            let left = product.stock;
            problems.push(Problem::OutOfStock { name, left });
        }
    }
    problems
}

fn of_total(sum: &Sum, limits: &Limits) -> Vec<Problem> {
    let total = sum.total;
    if total < limits.min_total {
        let least = limits.min_total;
        vec![Problem::TotalTooSmall { total, least }]
    } else if total > limits.max_total {
        let greatest = limits.max_total;
        vec![Problem::TotalTooLarge { total, greatest }]
    } else {
        Vec::new()
    }
}

fn priced(lines: &[DraftLine], products: &BTreeMap<i64, Product>) -> Vec<PlacedLine> {
    let priced = lines.iter().filter_map(|line| {
        let product = products.get(&line.product_id)?;
        Some(PlacedLine {
            sku: product.sku.clone(),
            name: product.name.clone(),
            quantity: line.quantity,
            unit_price: product.unit_price,
            line_total: product.unit_price * Decimal::from(line.quantity),
        })
    });
    priced.collect()
}

/// PostgreSQL's integers that are never negative here, which their constraints see to.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// As PostgreSQL's integer; what is greater was refused, since no stock is.
fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

// === impl Sum ===

impl Sum {
    /// Tax is rounded once, on the subtotal, half away from zero: as PostgreSQL's `round` does,
    /// which judges it.
    fn of(lines: &[PlacedLine], tax_rate: Decimal) -> Self {
        let subtotal: Decimal = lines.iter().map(|line| line.line_total).sum();
        let tax =
            (subtotal * tax_rate).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        Self {
            subtotal,
            tax,
            total: subtotal + tax,
        }
    }
}
