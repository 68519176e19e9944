//! An order that is not complete yet, as it is kept between two messages.

use serde::{Deserialize, Serialize};

use crate::{
    matching::{CatalogueItem, Match},
    order_lines::Line,
    orders::DraftLine,
};

/// What is known of an order so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::assistant) struct Draft {
    pub(super) items: Vec<Item>,
    pub(super) choices: Vec<Choice>,
}

/// A product, and how many packs of it once that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) product_id: i64,
    pub(super) name: String,
    pub(super) quantity: Option<u32>,
}

/// Words that may mean several products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) phrase: String,
    pub(super) quantity: Option<u32>,
    pub(super) candidates: Vec<Candidate>,
}

/// A product that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub(super) product_id: i64,
    pub(super) name: String,
}

/// What a quantity of a product that is there already does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// It comes on top.
    Add,
    /// It takes the place of the other.
    Replace,
    /// Nobody can tell: the customer is asked.
    Unclear,
}

// === impl Draft ===

impl Draft {
    /// Nothing is left to ask about products and quantities.
    pub(super) fn is_complete(&self) -> bool {
        !self.items.is_empty()
            && self.choices.is_empty()
            && self.items.iter().all(|item| item.quantity.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.choices.is_empty()
    }

    /// What is ordered; only of a complete draft.
    pub(in crate::assistant) fn lines(&self) -> Vec<DraftLine> {
        let known = |item: &Item| {
            let product_id = item.product_id;
            let line = |quantity| DraftLine {
                product_id,
                quantity,
            };
            item.quantity.map(line)
        };
        self.items.iter().filter_map(known).collect()
    }

    /// Takes over a line of a message. Gives back the phrase of one that is nothing that is sold.
    pub(super) fn take(&mut self, line: &Line, found: Match, manner: Manner) -> Option<String> {
        let quantity = line.quantity.packs();
        match found {
            Match::Sure(product) => {
                let candidate = Candidate::of(&product);
                match self.choice_with(candidate.product_id) {
                    Some(at) => self.settle(at, &candidate, quantity),
                    None => self.put(&candidate, quantity, manner),
                }
            }
            Match::Unsure(products) => {
                let candidates: Vec<Candidate> = products.iter().map(Candidate::of).collect();
                if !self.narrow(&candidates, quantity) {
                    self.choices.push(Choice {
                        phrase: line.phrase.clone(),
                        quantity,
                        candidates,
                    });
                }
            }
            Match::None => return Some(line.phrase.clone()),
        }
        None
    }

    /// Says which product a choice means.
    pub(super) fn settle(&mut self, at: usize, candidate: &Candidate, quantity: Option<u32>) {
        let choice = self.choices.remove(at);
        self.put(candidate, quantity.or(choice.quantity), Manner::Add);
    }

    /// The quantity of the only thing that lacks one. Whether there was just one.
    pub(super) fn set_missing_quantity(&mut self, quantity: u32) -> bool {
        let items = self.items.iter_mut().map(|item| &mut item.quantity);
        let choices = self.choices.iter_mut().map(|choice| &mut choice.quantity);
        let mut missing = items.chain(choices).filter(|quantity| quantity.is_none());
        let (Some(only), None) = (missing.next(), missing.next()) else {
            return false;
        };
        *only = Some(quantity);
        true
    }

    pub(super) fn holds(&self, product_id: i64) -> bool {
        self.items.iter().any(|item| item.product_id == product_id)
    }

    /// Takes a product out. Whether it was there.
    pub(super) fn remove(&mut self, product_id: i64) -> bool {
        let before = self.items.len();
        self.items.retain(|item| item.product_id != product_id);
        self.items.len() < before
    }

    /// Takes out what is asked about: whatever lacks a quantity, or else the only product. Gives
    /// the names.
    pub(super) fn remove_asked(&mut self) -> Vec<String> {
        let alone = self.items.len() == 1;
        let goes = |item: &mut Item| alone || item.quantity.is_none();
        let gone = self.items.extract_if(.., goes);
        gone.map(|item| item.name).collect()
    }

    /// Forgets a quantity that cannot be had.
    pub(super) fn ask_again(&mut self, name: &str) {
        for item in self.items.iter_mut().filter(|item| item.name == name) {
            item.quantity = None;
        }
    }

    fn put(&mut self, product: &Candidate, quantity: Option<u32>, manner: Manner) {
        let mut there = self.items.iter_mut();
        let Some(item) = there.find(|item| item.product_id == product.product_id) else {
            self.items.push(Item {
                product_id: product.product_id,
                name: product.name.clone(),
                quantity,
            });
            return;
        };
        item.quantity = match (item.quantity, quantity, manner) {
            (None, new, _) => new,
            (old, None, _) => old,
            (Some(old), Some(new), Manner::Add) => old.checked_add(new),
            (Some(_), Some(new), Manner::Replace) => Some(new),
            (Some(old), Some(new), Manner::Unclear) => (old == new).then_some(old),
        };
    }

    fn choice_with(&self, product_id: i64) -> Option<usize> {
        self.choices
            .iter()
            .position(|choice| choice.holds(product_id))
    }

    /// Leaves of a choice what is among these too. Whether there was one that this narrows.
    fn narrow(&mut self, to: &[Candidate], quantity: Option<u32>) -> bool {
        for at in 0..self.choices.len() {
            let choice = &mut self.choices[at];
            let left: Vec<Candidate> = choice
                .candidates
                .iter()
                .filter(|candidate| to.contains(candidate))
                .cloned()
                .collect();
            match &left[..] {
                [] => {}
                [only] => {
                    let only = only.clone();
                    self.settle(at, &only, quantity);
                    return true;
                }
                _ => {
                    choice.candidates = left;
                    choice.quantity = quantity.or(choice.quantity);
                    return true;
                }
            }
        }
        false
    }
}

// === impl Choice ===

impl Choice {
    pub(super) fn holds(&self, product_id: i64) -> bool {
        let mut candidates = self.candidates.iter();
        candidates.any(|candidate| candidate.product_id == product_id)
    }
}

// === impl Candidate ===

impl Candidate {
    fn of(product: &CatalogueItem) -> Self {
        Self {
            product_id: product.id,
            name: product.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order_lines::Quantity;

    fn product(id: i64, name: &str) -> CatalogueItem {
        CatalogueItem {
            id,
            sku: format!("P-{id}"),
            name: name.to_owned(),
            description: String::new(),
            category: "boxes".to_owned(),
            size: None,
            material: None,
        }
    }

    fn line(quantity: Option<u32>, phrase: &str) -> Line {
        Line {
            quantity: quantity.map_or(Quantity::Missing, Quantity::Packs),
            phrase: phrase.to_owned(),
            size: None,
            span: 0..0,
        }
    }

    fn one_of(ids: &[i64]) -> Match {
        Match::Unsure(
            ids.iter()
                .map(|id| product(*id, &format!("box {id}")))
                .collect(),
        )
    }

    #[test]
    fn a_choice_is_narrowed_until_one_is_left() {
        let mut draft = Draft::default();
        draft.take(&line(Some(10), "boxes"), one_of(&[1, 2, 3]), Manner::Add);
        assert!(!draft.is_complete());
        draft.take(&line(None, "white ones"), one_of(&[2, 3, 9]), Manner::Add);
        assert_eq!(draft.choices[0].candidates.len(), 2);
        draft.take(&line(None, "small"), one_of(&[3, 8]), Manner::Add);
        assert!(draft.is_complete());
        let lines = draft.lines();
        assert_eq!((lines[0].product_id, lines[0].quantity), (3, 10));
    }

    #[test]
    fn a_product_that_is_sure_settles_the_choice_it_was_in() {
        let mut draft = Draft::default();
        draft.take(&line(None, "boxes"), one_of(&[1, 2]), Manner::Add);
        let sure = Match::Sure(product(2, "box 2"));
        draft.take(&line(Some(7), "box 2"), sure, Manner::Add);
        assert_eq!(draft.lines()[0].quantity, 7);
        assert!(draft.is_complete());
    }

    #[test]
    fn the_same_product_again_adds_replaces_or_is_asked_about() {
        for (manner, expected) in [
            (Manner::Add, Some(15)),
            (Manner::Replace, Some(5)),
            (Manner::Unclear, None),
        ] {
            let mut draft = Draft::default();
            let sure = || Match::Sure(product(1, "box 1"));
            draft.take(&line(Some(10), "box"), sure(), Manner::Add);
            draft.take(&line(Some(5), "box"), sure(), manner);
            assert_eq!(draft.items[0].quantity, expected, "{manner:?}");
        }
    }

    #[test]
    fn a_sum_beyond_all_numbers_is_asked_again() {
        let mut draft = Draft::default();
        let sure = || Match::Sure(product(1, "box 1"));
        draft.take(&line(Some(u32::MAX), "box"), sure(), Manner::Add);
        draft.take(&line(Some(1), "box"), sure(), Manner::Add);
        assert!(!draft.is_complete());
    }

    #[test]
    fn a_lone_number_is_for_the_only_thing_without_one() {
        let mut draft = Draft::default();
        let sure = |id| Match::Sure(product(id, "box"));
        draft.take(&line(None, "a"), sure(1), Manner::Add);
        draft.take(&line(None, "b"), sure(2), Manner::Add);
        assert!(!draft.set_missing_quantity(3));
        draft.take(&line(Some(4), "b"), sure(2), Manner::Add);
        assert!(draft.set_missing_quantity(3));
        assert!(draft.is_complete());
    }

    #[test]
    fn what_was_asked_about_is_taken_out_or_the_only_product() {
        let sure = |id| Match::Sure(product(id, "box"));
        let mut draft = Draft::default();
        draft.take(&line(Some(10), "a"), sure(1), Manner::Add);
        draft.take(&line(None, "b"), sure(2), Manner::Add);
        assert_eq!(draft.remove_asked(), ["box"]);
        assert_eq!(draft.lines()[0].product_id, 1);
        assert_eq!(draft.remove_asked(), ["box"]);
        assert!(draft.is_empty());
    }

    #[test]
    fn it_is_the_same_after_it_was_kept() {
        let mut draft = Draft::default();
        draft.take(&line(Some(10), "boxes"), one_of(&[1, 2]), Manner::Add);
        let sure = Match::Sure(product(7, "lid"));
        draft.take(&line(None, "lids"), sure, Manner::Add);
        let kept = serde_json::to_value(&draft).unwrap();
        assert_eq!(serde_json::from_value::<Draft>(kept).unwrap(), draft);
    }
}
