//! What is said about an order.

use std::fmt::Write as _;

use super::{
    Destination,
    draft::{Choice, Draft},
};
use crate::orders::{Placed, Problem};

/// What has to be said beside the question.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    said: Vec<String>,
    unheard: bool,
}

// === impl Remarks ===

impl Remarks {
    /// Whether the order must not be placed before the customer has heard of them.
    pub(super) fn must_be_heard(&self) -> bool {
        self.unheard
    }

    pub(super) fn unknown(&mut self, phrase: &str) {
        self.hear(format!("I know no product that fits \"{phrase}\"."));
    }

    pub(super) fn dropped(&mut self, phrase: &str) {
        self.hear(format!("I left out \"{phrase}\"."));
    }

    pub(super) fn what_of(&mut self, packs: u32) {
        self.hear(format!(
            "I could not tell of which product you want {}.",
            count(packs)
        ));
    }

    pub(super) fn unclear_quantity(&mut self) {
        self.hear(
            "I could not tell how many packs you want; please write whole numbers from 1 up."
                .to_owned(),
        );
    }

    pub(super) fn taken_out(&mut self, name: &str) {
        self.said.push(format!("I took {name} out."));
    }

    fn hear(&mut self, remark: String) {
        self.said.push(remark);
        self.unheard = true;
    }
}

/// What is known, and what is missing.
pub(super) fn question(draft: &Draft, remarks: &Remarks, destination: Destination<'_>) -> String {
    let mut text = remarks.said.join(" ");
    if draft.is_empty() {
        separate(&mut text);
        text.push_str(
            "What would you like to order? Please name products and packs, \
             as in \"20 packs of 12 inch kraft pizza boxes\".",
        );
        return text;
    }
    let known = draft.items.iter().filter_map(|item| {
        let quantity = item.quantity?;
        Some(format!("- {} {}", packs_of(quantity), item.name))
    });
    let known: Vec<String> = known.collect();
    if !known.is_empty() {
        separate(&mut text);
        let _ = write!(text, "So far I have noted:\n{}\n", known.join("\n"));
    }
    let missing = missing(draft, destination);
    let open = match &missing[..] {
        [] => "Shall I order this? Say yes, or change it.".to_owned(),
        [only] => only.clone(),
        several => {
            let lines: Vec<String> = several.iter().map(|line| format!("- {line}")).collect();
            format!("Please tell me:\n{}", lines.join("\n"))
        }
    };
    separate(&mut text);
    text.push_str(&open);
    text
}

/// What is missing of an order that was begun earlier.
pub(in crate::assistant) fn open_question(draft: &Draft, destination: Destination<'_>) -> String {
    question(draft, &Remarks::default(), destination)
}

fn missing(draft: &Draft, destination: Destination<'_>) -> Vec<String> {
    let mut missing: Vec<String> = draft.choices.iter().map(which).collect();
    let without = draft.items.iter().filter(|item| item.quantity.is_none());
    missing.extend(without.map(|item| format!("How many packs of {} would you like?", item.name)));
    match destination {
        Destination::Known => {}
        Destination::OneOf(outlets) => {
            let names: Vec<&str> = outlets.iter().map(|outlet| outlet.name.as_str()).collect();
            missing.push(format!("Which outlet is it for: {}?", either(&names)));
        }
        Destination::Unknown => missing.push("Which outlet shall we deliver to?".to_owned()),
    }
    missing
}

fn which(choice: &Choice) -> String {
    let names = choice
        .candidates
        .iter()
        .map(|candidate| candidate.name.as_str());
    let names: Vec<&str> = names.collect();
    let phrase = &choice.phrase;
    if let [only] = names[..] {
        return format!("By \"{phrase}\", do you mean {only}?");
    }
    let numbered: Vec<String> = (1..)
        .zip(names)
        .map(|(number, name)| format!("{number}) {name}"))
        .collect();
    format!(
        "Which do you mean by \"{phrase}\": {}?",
        numbered.join(", ")
    )
}

/// That an order is placed.
pub(in crate::assistant) fn placed(order: &Placed, outlet: &str) -> String {
    let mut text = format!(
        "Thank you, your order {} for {outlet} is placed:\n",
        short(order)
    );
    for line in &order.lines {
        let packs = packs_of(line.quantity);
        let _ = writeln!(
            text,
            "- {packs} {} at {:.2}: {:.2}",
            line.name, line.unit_price, line.line_total
        );
    }
    let _ = write!(
        text,
        "Goods {:.2}, tax {:.2}, total {:.2}. Delivery {}, invoice {}.",
        order.subtotal, order.tax, order.total, order.delivery_number, order.invoice_number
    );
    text
}

/// The first digits of an order's id, by which people name it.
fn short(order: &Placed) -> String {
    order.id.simple().to_string()[..8].to_owned()
}

/// Why an order cannot be placed as it is, and what it is asked for again. The draft forgets the
/// quantities that cannot be had.
pub(in crate::assistant) fn refused(draft: &mut Draft, problems: &[Problem]) -> String {
    let mut text = "I could not place the order yet.".to_owned();
    for problem in problems {
        text.push('\n');
        let told = match problem {
            Problem::BelowMinimum { name, minimum } => {
                draft.ask_again(name);
                format!("{name} is sold from {} upwards.", count(*minimum))
            }
            Problem::AboveMaximum { name, maximum } => {
                draft.ask_again(name);
                format!("One order may have at most {} {name}.", packs_of(*maximum))
            }
            Problem::OutOfStock { name, left } => {
                draft.ask_again(name);
                match left {
                    0 => format!("{name} is sold out at the moment."),
                    left => format!("Of {name} only {} are left.", count(*left)),
                }
            }
            Problem::NoSuchProduct { product_id } => {
                draft.remove(*product_id);
                "A product of it is not sold any more; I took it out.".to_owned()
            }
            Problem::NoSuchOutlet => "We do not deliver to this outlet any more.".to_owned(),
            Problem::TooManyLines { most } => {
                format!("One order may have at most {most} different products.")
            }
            Problem::TotalTooSmall { total, least } => {
                format!("The total would be {total:.2}, and orders begin at {least:.2}.")
            }
            Problem::TotalTooLarge { total, greatest } => {
                format!(
                    "The total would be {total:.2}, and one order may come to {greatest:.2} at most."
                )
            }
            Problem::Empty | Problem::Twice { .. } => "There is nothing left in it.".to_owned(),
        };
        text.push_str(&told);
    }
    let without = draft.items.iter().filter(|item| item.quantity.is_none());
    let names: Vec<&str> = without.map(|item| item.name.as_str()).collect();
    text.push('\n');
    if names.is_empty() {
        text.push_str("What would you like to change?");
    } else {
        let _ = write!(
            text,
            "How many packs of {} would you like, or shall I take {} out?",
            names.join(" and "),
            if names.len() == 1 { "it" } else { "them" }
        );
    }
    text
}

fn packs_of(count: u32) -> String {
    format!("{} of", self::count(count))
}

fn count(packs: u32) -> String {
    let word = if packs == 1 { "pack" } else { "packs" };
    format!("{packs} {word}")
}

/// As in `A, B or C`.
fn either(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn separate(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push(' ');
    }
}
