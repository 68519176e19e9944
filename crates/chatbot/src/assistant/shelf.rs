//! What is sold and to whom, as far as words are compared with it.
//!
//! It is kept in memory and looked at again from time to time; prices and stock are never taken
//! from it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use deadpool_postgres::Pool;
use tokio_postgres::Row;

use super::error::AnswerError;
use crate::{
    Embedder,
    matching::{CatalogueItem, Matcher},
    outlets::Outlets,
};

/// What stands on the shelf at one time.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) matcher: Matcher,
    pub(super) outlets: Outlets,
    /// Changes with everything that is compared.
    print: String,
}

/// The shelf; empty until it was first filled.
#[derive(Debug, Default)]
pub(super) struct Shelf(ArcSwapOption<Stock>);

const ITEMS: &str = "
SELECT id, sku, name, description, category, size, material
  FROM products WHERE active ORDER BY sku";

/// Of what is compared, and not of the stock, which changes with each order.
const PRINT: &str = "
SELECT coalesce((SELECT md5(string_agg(md5(row(id, sku, name, description, category, size, material)::text), '' ORDER BY id))
                   FROM products WHERE active), '')
    || coalesce((SELECT md5(string_agg(md5(row(id, name, city, language)::text), '' ORDER BY id))
                   FROM outlets WHERE active), '')";

// === impl Shelf ===

impl Shelf {
    /// What stands there.
    pub(super) fn stock(&self) -> Option<Arc<Stock>> {
        self.0.load_full()
    }

    /// Brings it to what the database says; embeds the products if one of them changed. Whether
    /// anything did.
    pub(super) async fn refresh(
        &self,
        pool: &Pool,
        embedder: Embedder,
    ) -> Result<bool, AnswerError> {
        let client = pool.get().await?;
        let print = client.query_one(PRINT, &[]).await?;
        let print: String = print.get(0);
        if self.stock().is_some_and(|stock| stock.print == print) {
            return Ok(false);
        }
        let rows = client.query(ITEMS, &[]).await?;
        let items = rows.iter().map(item).collect();
        drop(client);
        let outlets = Outlets::list(pool).await?;
        let matcher = Matcher::new(embedder, items).await?;
        self.0.store(Some(Arc::new(Stock {
            matcher,
            outlets,
            print,
        })));
        Ok(true)
    }
}

fn item(row: &Row) -> CatalogueItem {
    CatalogueItem {
        id: row.get(0),
        sku: row.get(1),
        name: row.get(2),
        description: row.get(3),
        category: row.get(4),
        size: row.get(5),
        material: row.get(6),
    }
}
