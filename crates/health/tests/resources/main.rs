//! The checks of resources, against real ones where they can be had: control groups with a limit,
//! file systems in a mount namespace of their own, a low limit of open files. What needs root or a
//! kernel's feature that is missing is skipped, and says so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod again;
mod database;
mod descriptors;
mod disk;
mod groups;
mod memory;
mod process;
mod tree;

use tria_check::{Check, Outcome, PublicValue, conformance::Kit};

/// What the check found, held to the contract.
async fn verified(check: &impl Check) -> Outcome {
    Kit::new().verify(check).await.unwrap()
}

/// What it observed under `name`.
fn number(outcome: &Outcome, name: &str) -> f64 {
    match outcome.observed_value(name) {
        #[expect(clippy::cast_precision_loss, reason = "the tests' numbers are small")]
        Some(PublicValue::Int(number)) => *number as f64,
        Some(PublicValue::Float(number)) => *number,
        other => panic!("{name}: {other:?} in {outcome:?}"),
    }
}

fn assert_found(outcome: &Outcome, status: tria_check::Status, code: &str) {
    let found = (outcome.status(), outcome.code().as_str());
    assert_eq!(found, (status, code), "{outcome:?}");
}
