//! Why an order was not written.

use rust_decimal::Decimal;

/// Why an order was not written; nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// What was asked for cannot be had like that; each problem is for the customer to mend.
    #[error("the order cannot be placed as it is")]
    Refused(Vec<Problem>),
    /// The key stands for another order of the same user.
    #[error("this key was used for another order")]
    KeyTaken,
    /// PostgreSQL did not answer, or no connection to it was free.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed. A transaction that lost a race may be tried again.
    #[error("the database refused")]
    Database(#[from] tokio_postgres::Error),
}

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
