//! Brings the tables of products and outlets to what the catalogue says.

use std::time::Duration;

use deadpool_postgres::{Pool, PoolError, Transaction};
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::{Catalogue, Outlet, Product};

/// The PostgreSQL advisory lock under which the catalogue is seeded: the bytes of `triaseed`.
pub const LOCK_KEY: i64 = i64::from_be_bytes(*b"triaseed");

/// How the catalogue is seeded.
#[derive(Clone, Copy, Debug)]
pub struct SeedOptions {
    /// Whether the stock of products that are there already becomes that of the file, too.
    /// Otherwise it stays: a running shop counts its own.
    pub reset_stock: bool,
    /// How long to wait for somebody else who is seeding, and for rows that orders hold.
    pub lock_wait: Duration,
}

/// What seeding did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// To the products.
    pub products: Changes,
    /// To the outlets.
    pub outlets: Changes,
}

/// What happened to the rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows that were not there.
    pub added: usize,
    /// Rows that were brought to what the file says, those that became active again among them.
    pub changed: usize,
    /// Rows that were not touched.
    pub unchanged: usize,
    /// Rows that the file does not name any more: inactive from now on, never deleted.
    pub deactivated: usize,
}

/// Why the catalogue was not seeded; then nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// There is no connection to be had.
    #[error("no connection to the database")]
    Connect(#[source] PoolError),
    /// The database refused, or the connection was lost.
    #[error("the catalogue could not be written")]
    Write(#[source] tokio_postgres::Error),
}

/// Brings the tables to what the catalogue says, all in one transaction. Products are told by
/// their number, outlets by their name. A row that says the same already is not touched, so a
/// second run changes nothing. Two at once do one after the other.
///
/// Dropping the future rolls it back.
///
/// # Errors
/// [`SeedError`]; nothing was changed then.
pub async fn seed(
    pool: &Pool,
    catalogue: &Catalogue,
    options: SeedOptions,
) -> Result<Seeded, SeedError> {
    let mut client = pool.get().await.map_err(SeedError::Connect)?;
    let transaction = client.transaction().await.map_err(SeedError::Write)?;
    let seeded = write(&transaction, catalogue, options).await;
    let seeded = seeded.map_err(SeedError::Write)?;
    transaction.commit().await.map_err(SeedError::Write)?;
    Ok(seeded)
}

/// Whether a row was added is told by its age: `now()` is the beginning of the transaction.
const UPSERT_PRODUCTS: &str = "
INSERT INTO products AS old (sku, name, description, category, size, material, unit_price,
                             pack_quantity, minimum_order, stock)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::numeric[], $8::integer[], $9::integer[], $10::integer[])
ON CONFLICT (sku) DO UPDATE
   SET name = excluded.name, description = excluded.description, category = excluded.category,
       size = excluded.size, material = excluded.material, unit_price = excluded.unit_price,
       pack_quantity = excluded.pack_quantity, minimum_order = excluded.minimum_order,
       stock = CASE WHEN $11 THEN excluded.stock ELSE old.stock END, active = true
 WHERE (old.name, old.description, old.category, old.size, old.material, old.unit_price,
        old.pack_quantity, old.minimum_order, old.active)
       IS DISTINCT FROM
       (excluded.name, excluded.description, excluded.category, excluded.size, excluded.material,
        excluded.unit_price, excluded.pack_quantity, excluded.minimum_order, true)
    OR ($11 AND old.stock <> excluded.stock)
RETURNING created_at = now()";

const UPSERT_OUTLETS: &str = "
INSERT INTO outlets AS old (name, address_line, postal_code, city, country, language)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (name) DO UPDATE
   SET address_line = excluded.address_line, postal_code = excluded.postal_code,
       city = excluded.city, country = excluded.country, language = excluded.language,
       active = true
 WHERE (old.address_line, old.postal_code, old.city, old.country, old.language, old.active)
       IS DISTINCT FROM
       (excluded.address_line, excluded.postal_code, excluded.city, excluded.country,
        excluded.language, true)
RETURNING created_at = now()";

const DEACTIVATE_PRODUCTS: &str =
    "UPDATE products SET active = false WHERE active AND sku <> ALL($1::text[])";

const DEACTIVATE_OUTLETS: &str =
    "UPDATE outlets SET active = false WHERE active AND name <> ALL($1::text[])";

// === impl SeedOptions ===

impl Default for SeedOptions {
    /// The stock stays; 30 s for whoever holds a lock.
    fn default() -> Self {
        Self {
            reset_stock: false,
            lock_wait: Duration::from_secs(30),
        }
    }
}

// === impl Changes ===

impl Changes {
    /// How many rows the file has.
    pub fn total(&self) -> usize {
        self.added + self.changed + self.unchanged
    }

    fn of(total: usize, written: &[Row], deactivated: u64) -> Self {
        let added = written.iter().filter(|row| row.get(0)).count();
        Self {
            added,
            changed: written.len() - added,
            unchanged: total - written.len(),
            deactivated: usize::try_from(deactivated).unwrap_or(usize::MAX),
        }
    }
}

async fn write(
    transaction: &Transaction<'_>,
    catalogue: &Catalogue,
    options: SeedOptions,
) -> Result<Seeded, tokio_postgres::Error> {
    let wait = options.lock_wait.as_millis().max(1);
    let patience = format!("SET LOCAL lock_timeout = {wait}");
    transaction.batch_execute(&patience).await?;
    let lock = "SELECT pg_advisory_xact_lock($1)";
    transaction.execute(lock, &[&LOCK_KEY]).await?;
    Ok(Seeded {
        products: products(transaction, catalogue.products(), options.reset_stock).await?,
        outlets: outlets(transaction, catalogue.outlets()).await?,
    })
}

async fn products(
    transaction: &Transaction<'_>,
    products: &[Product],
    reset_stock: bool,
) -> Result<Changes, tokio_postgres::Error> {
    // By number: orders that lock several products in the same order cannot deadlock with it.
    let mut sorted: Vec<&Product> = products.iter().collect();
    sorted.sort_by(|one, other| one.sku.cmp(&other.sku));
    let texts = |field: fn(&Product) -> &str| -> Vec<&str> {
        sorted.iter().map(|product| field(product)).collect()
    };
    let optional = |field: fn(&Product) -> &Option<String>| -> Vec<Option<&str>> {
        sorted
            .iter()
            .map(|product| field(product).as_deref())
            .collect()
    };
    let counts = |field: fn(&Product) -> i32| -> Vec<i32> {
        sorted.iter().map(|product| field(product)).collect()
    };
    let skus = texts(|product| &product.sku);
    let prices: Vec<Decimal> = sorted.iter().map(|product| product.unit_price).collect();
    let written = transaction
        .query(
            UPSERT_PRODUCTS,
            &[
                &skus,
                &texts(|product| &product.name),
                &texts(|product| &product.description),
                &texts(|product| &product.category),
                &optional(|product| &product.size),
                &optional(|product| &product.material),
                &prices,
                &counts(|product| product.pack_quantity),
                &counts(|product| product.minimum_order),
                &counts(|product| product.stock),
                &reset_stock,
            ],
        )
        .await?;
    let deactivated = transaction.execute(DEACTIVATE_PRODUCTS, &[&skus]).await?;
    Ok(Changes::of(products.len(), &written, deactivated))
}

async fn outlets(
    transaction: &Transaction<'_>,
    outlets: &[Outlet],
) -> Result<Changes, tokio_postgres::Error> {
    let texts = |field: fn(&Outlet) -> &str| -> Vec<&str> { outlets.iter().map(field).collect() };
    let names = texts(|outlet| &outlet.name);
    let written = transaction
        .query(
            UPSERT_OUTLETS,
            &[
                &names,
                &texts(|outlet| &outlet.address_line),
                &texts(|outlet| &outlet.postal_code),
                &texts(|outlet| &outlet.city),
                &texts(|outlet| &outlet.country),
                &texts(|outlet| &outlet.language),
            ],
        )
        .await?;
    let deactivated = transaction.execute(DEACTIVATE_OUTLETS, &[&names]).await?;
    Ok(Changes::of(outlets.len(), &written, deactivated))
}
