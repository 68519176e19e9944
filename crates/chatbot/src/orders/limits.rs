//! What an order may be.

use rust_decimal::Decimal;

/// What an order may be, and how it is taxed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most packs of one product.
    pub max_quantity_per_item: u32,
    /// The most lines.
    pub max_line_items: usize,
    /// The least total, tax included.
    pub min_total: Decimal,
    /// The greatest total, tax included.
    pub max_total: Decimal,
    /// The tax as a share: 0.09 is 9 %; at most six digits after the point.
    pub tax_rate: Decimal,
}
