//! Orders: what is asked for, priced here and written once, within a [turn](crate::turns), and how
//! they stand afterwards.

mod limits;
mod place;
mod placed;
mod price;
mod problem;
mod reference;
pub mod status;

pub use self::{
    limits::Limits,
    placed::{Placed, PlacedLine},
    problem::Problem,
    reference::{Reference, reference_in},
};
pub(crate) use self::{
    place::{Asked, Placing},
    price::{Goods, check_form},
};

/// A product and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftLine {
    /// The product's id.
    pub product_id: i64,
    /// In packs.
    pub quantity: u32,
}
