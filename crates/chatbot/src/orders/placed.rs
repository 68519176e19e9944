//! An order as it was written.

use rust_decimal::Decimal;
use uuid::Uuid;

/// An order that was written, with everything that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The order.
    pub id: Uuid,
    /// Its lines, in the order in which they were asked for.
    pub lines: Vec<PlacedLine>,
    /// The sum of the lines, before tax.
    pub subtotal: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What is to be paid.
    pub total: Decimal,
    /// The number of its delivery.
    pub delivery_number: i64,
    /// The number of its invoice.
    pub invoice_number: i64,
}

/// A line that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedLine {
    /// The product's stock-keeping unit.
    pub sku: String,
    /// The product's name at the time of reading.
    pub name: String,
    /// In packs.
    pub quantity: u32,
    /// The price of a pack, before tax.
    pub unit_price: Decimal,
    /// The price of the line, before tax.
    pub line_total: Decimal,
}
