//! Why an order cannot be had as it is.

use rust_decimal::Decimal;

/// Something that a customer can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No line.
    Empty,
    /// More lines than an order may have.
    TooManyLines {
        /// The most that it may have.
        most: usize,
    },
    /// A product stands in two lines.
    Twice {
        /// The product's id.
        product_id: i64,
    },
    /// There is no such product, or it is sold no more.
    NoSuchProduct {
        /// The id that was asked for.
        product_id: i64,
    },
    /// There is no such outlet, or it is delivered to no more.
    NoSuchOutlet,
    /// Less than the product's minimum.
    BelowMinimum {
        /// The product.
        name: String,
        /// Its minimum, in packs.
        minimum: u32,
    },
    /// More than one line may have.
    AboveMaximum {
        /// The product.
        name: String,
        /// The most, in packs.
        maximum: u32,
    },
    /// Not as much is left.
    OutOfStock {
        /// The product.
        name: String,
        /// What is left, in packs.
        left: u32,
    },
    /// The total is below the least.
    TotalTooSmall {
        /// The total, tax included.
        total: Decimal,
        /// The least.
        least: Decimal,
    },
    /// The total is above the greatest.
    TotalTooLarge {
        /// The total, tax included.
        total: Decimal,
        /// The greatest.
        greatest: Decimal,
    },
}
