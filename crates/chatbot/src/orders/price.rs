//! What an order comes to, or what is wrong with it. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};

use super::{DraftLine, Limits, PlacedLine, Problem};

/// A product as it is while its row is locked.
pub(crate) struct Product {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) unit_price: Decimal,
    pub(crate) minimum: u32,
    pub(crate) stock: u32,
}

/// What an order finds, and nobody else changes until it is written.
pub(crate) struct Goods {
    /// Those that are sold, by their ids.
    pub(crate) products: BTreeMap<i64, Product>,
    pub(crate) is_delivered_to: bool,
}

/// An order that may be written as it is.
pub(crate) struct Priced {
    pub(crate) lines: Vec<PlacedLine>,
    pub(crate) subtotal: Decimal,
    pub(crate) tax_rate: Decimal,
    pub(crate) tax: Decimal,
    pub(crate) total: Decimal,
}

/// Whether the lines can be an order at all, whatever is sold.
pub(crate) fn check_form(lines: &[DraftLine], limits: &Limits) -> Result<(), Vec<Problem>> {
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
    let twice = twice.into_iter();
    problems.extend(twice.map(|product_id| Problem::Twice { product_id }));
    refuse(problems)
}

// === impl Goods ===

impl Goods {
    /// Prices the lines, or tells everything that is wrong with them.
    pub(crate) fn price(
        &self,
        lines: &[DraftLine],
        limits: &Limits,
    ) -> Result<Priced, Vec<Problem>> {
        let mut problems = self.problems(lines, limits);
        if !self.is_delivered_to {
            problems.push(Problem::NoSuchOutlet);
        }
        refuse(problems)?;
        let priced = Priced::of(self.lines(lines), limits.tax_rate);
        refuse(priced.problems(limits))?;
        Ok(priced)
    }

    fn problems(&self, lines: &[DraftLine], limits: &Limits) -> Vec<Problem> {
        let mut problems = Vec::new();
        for &DraftLine {
            product_id,
            quantity,
        } in lines
        {
            let Some(product) = self.products.get(&product_id) else {
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

    fn lines(&self, lines: &[DraftLine]) -> Vec<PlacedLine> {
        let priced = lines.iter().filter_map(|line| {
            let product = self.products.get(&line.product_id)?;
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
}

// === impl Priced ===

impl Priced {
    /// Tax is rounded once, on the subtotal, half away from zero: as PostgreSQL's `round` does,
    /// which judges it.
    fn of(lines: Vec<PlacedLine>, tax_rate: Decimal) -> Self {
        let subtotal: Decimal = lines.iter().map(|line| line.line_total).sum();
        let tax =
            (subtotal * tax_rate).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        Self {
            lines,
            subtotal,
            tax_rate,
            tax,
            total: subtotal + tax,
        }
    }

    fn problems(&self, limits: &Limits) -> Vec<Problem> {
        let total = self.total;
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
}

fn refuse(problems: Vec<Problem>) -> Result<(), Vec<Problem>> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}
