//! What a message orders: quantities, and the words beside each.
//!
//! Nothing is guessed. A quantity that is not plain is [`Quantity::Unclear`], and whoever reads
//! the lines asks back.

mod assemble;
mod clauses;
mod cues;
mod draft;
mod marks;
mod numbers;
mod questions;
mod spelling;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

use std::{fmt, ops::Range};

pub(crate) use numbers::is_a_number;
pub(crate) use spelling::is_misspelt;
pub(crate) use words::{is_only_a_unit, is_product, singular};

/// More packs than this in one line are taken for a slip.
pub const MOST_PACKS: u32 = 10_000;

/// One line of an order, as the message says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many.
    pub quantity: Quantity,
    /// Of what: lowercase words without quantity, size and politeness; empty where the message
    /// names nothing.
    pub phrase: String,
    /// The size that the message names.
    pub size: Option<Size>,
    /// Where in the message the line stands, in bytes on boundaries of characters.
    pub span: Range<usize>,
}

/// How many packs a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// This many packs, 1 to [`MOST_PACKS`].
    Packs(u32),
    /// The message names none.
    Missing,
    /// The message names one that cannot be taken as it stands: zero, negative, a fraction, two
    /// at once, a vague word, or more than [`MOST_PACKS`].
    Unclear,
}

/// A size in whole inches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u32);

/// The lines of an order in the order in which the message names them. A message that orders
/// nothing has none. Takes time linear in the message.
pub fn read(message: &str) -> Vec<Line> {
    let tokens = tokens::tokens(message);
    let marks = marks::marks(&tokens);
    assemble::assemble(&clauses::clauses(marks))
}

// === impl Quantity ===

impl Quantity {
    fn of(count: u64) -> Self {
        match u32::try_from(count) {
            Ok(packs @ 1..=MOST_PACKS) => Self::Packs(packs),
            _ => Self::Unclear,
        }
    }

    /// The packs, where they are plain.
    pub const fn packs(self) -> Option<u32> {
        match self {
            Self::Packs(packs) => Some(packs),
            Self::Missing | Self::Unclear => None,
        }
    }
}

// === impl Size ===

impl Size {
    /// A size of this many inches.
    pub const fn of_inches(inches: u32) -> Self {
        Self(inches)
    }

    /// Inches.
    pub const fn inches(self) -> u32 {
        self.0
    }

    /// The first size that a text names, as `12 inch`, `12"` or `30 cm` (which is 12 inches).
    pub fn find(text: &str) -> Option<Self> {
        let marks = marks::marks(&tokens::tokens(text));
        marks.into_iter().find_map(|mark| match mark.kind {
            marks::Kind::Size(size) => Some(size),
            _ => None,
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} inch", self.0)
    }
}
