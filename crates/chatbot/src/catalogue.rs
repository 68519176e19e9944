//! What is sold and to whom, as files of comma-separated values, and on its way into the database.
//!
//! `products.csv` and `outlets.csv` are UTF-8 with a head of column names in any order. Each
//! problem of both files is told at once.

mod rules;
mod seed;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;

use rust_decimal::Decimal;

pub use seed::{Changes, LOCK_KEY, SeedError, SeedOptions, Seeded, seed};

use crate::{
    DataErrors, DataProblem,
    catalogue::table::{Row, Table},
};

/// The file of the products.
pub const PRODUCTS_FILE: &str = "products.csv";

/// The file of the outlets.
pub const OUTLETS_FILE: &str = "outlets.csv";

/// What is sold and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    products: Vec<Product>,
    outlets: Vec<Outlet>,
}

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Product {
    /// Its number: 1 to 40 of `A-Z`, `0-9` and `-`; unique.
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// What it is, in sentences; may be empty.
    pub description: String,
    /// What it stands beside.
    pub category: String,
    /// As in `33 cm`.
    pub size: Option<String>,
    /// What it is made of.
    pub material: Option<String>,
    /// The price of one pack before tax, in the shop's currency; above 0, two digits after the
    /// point.
    pub unit_price: Decimal,
    /// Pieces in a pack; above 0.
    pub pack_quantity: i32,
    /// The smallest order, in packs; above 0.
    pub minimum_order: i32,
    /// The stock that a new product begins with, in packs.
    pub stock: i32,
}

/// A customer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlet {
    /// What it is called; unique.
    pub name: String,
    /// Street and number.
    pub address_line: String,
    /// May be empty.
    pub postal_code: String,
    /// The town.
    pub city: String,
    /// ISO 3166-1 alpha-2, as in `IT`.
    pub country: String,
    /// In which its customers are answered; BCP 47, as in `it` or `pt-BR`.
    pub language: String,
}

const PRODUCT_COLUMNS: [&str; 10] = [
    "sku",
    "name",
    "description",
    "category",
    "size",
    "material",
    "unit_price",
    "pack_quantity",
    "minimum_order",
    "stock",
];

const OUTLET_COLUMNS: [&str; 6] = [
    "name",
    "address_line",
    "postal_code",
    "city",
    "country",
    "language",
];

// === impl Catalogue ===

impl Catalogue {
    /// Reads both files of a folder.
    ///
    /// # Errors
    /// Everything that is wrong in them, with file, line and column. A file without any product or
    /// outlet is wrong too: it would close the shop.
    pub fn read(folder: &Path) -> Result<Self, DataErrors> {
        let mut problems = Vec::new();
        let products = read_all(&folder.join(PRODUCTS_FILE), &PRODUCT_COLUMNS, &mut problems);
        let outlets = read_all(&folder.join(OUTLETS_FILE), &OUTLET_COLUMNS, &mut problems);
        DataErrors::none_of(problems)?;
        Ok(Self { products, outlets })
    }

    /// The products, in the order of the file.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The outlets, in the order of the file.
    pub fn outlets(&self) -> &[Outlet] {
        &self.outlets
    }
}

/// What a row of a table says.
trait FromRow: Sized {
    /// Tells all that is wrong with the row; `None` if anything is.
    fn from_row(row: &mut Row<'_>) -> Option<Self>;
}

fn read_all<T: FromRow>(
    file: &Path,
    columns: &'static [&'static str],
    problems: &mut Vec<DataProblem>,
) -> Vec<T> {
    let Some(mut table) = Table::open(file, columns, problems) else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    while let Some(mut row) = table.next_row(problems) {
        entries.extend(T::from_row(&mut row));
    }
    entries
}

// === impl Product ===

impl FromRow for Product {
    fn from_row(row: &mut Row<'_>) -> Option<Self> {
        let sku = row.read("sku", rules::sku);
        row.unique("sku");
        let name = row.read("name", rules::name);
        let description = row.read("description", rules::description);
        let category = row.read("category", rules::name);
        let size = row.read("size", rules::optional);
        let material = row.read("material", rules::optional);
        let unit_price = row.read("unit_price", rules::price);
        let pack_quantity = row.read("pack_quantity", |value| rules::count(value, 1));
        let minimum_order = row.read("minimum_order", |value| rules::count(value, 1));
        let stock = row.read("stock", |value| rules::count(value, 0));
        Some(Self {
            sku: sku?,
            name: name?,
            description: description?,
            category: category?,
            size: size?,
            material: material?,
            unit_price: unit_price?,
            pack_quantity: pack_quantity?,
            minimum_order: minimum_order?,
            stock: stock?,
        })
    }
}

// === impl Outlet ===

impl FromRow for Outlet {
    fn from_row(row: &mut Row<'_>) -> Option<Self> {
        let name = row.read("name", rules::name);
        row.unique("name");
        let address_line = row.read("address_line", rules::name);
        let postal_code = row.read("postal_code", rules::short);
        let city = row.read("city", rules::name);
        let country = row.read("country", rules::country);
        let language = row.read("language", rules::language);
        Some(Self {
            name: name?,
            address_line: address_line?,
            postal_code: postal_code?,
            city: city?,
            country: country?,
            language: language?,
        })
    }
}
