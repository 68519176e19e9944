//! Takes out of a text what tells who somebody is, before the text is stored or logged.
//!
//! People write to order boxes, and most numbers are quantities, sizes, prices and order numbers,
//! which must stay: a bare number is never taken for a telephone number because of its length
//! alone. What has a form, a check digit or a word before it that says what it is, is masked.

mod address;
mod context;
mod digits;
mod documents;
mod numbers;
#[cfg(test)]
mod tests;

use std::{fmt, ops::Range};

/// A text without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The text, with `[email]` and the like in place of what was found.
    pub text: String,
    /// What was found, once for each place.
    pub items: Vec<Item>,
}

/// A kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Item {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The number of a payment card.
    Card,
    /// A number that a state gave a person: of an identity card, a passport, social security.
    NationalId,
}

/// Where something is, in bytes.
type Found = (Range<usize>, Item);

/// Masks e-mail addresses, telephone numbers, card numbers (that pass the Luhn check) and national
/// ids. Masking twice is the same as masking once.
///
/// It errs: a telephone number in an unusual form and without a word that announces it stays, and
/// a quantity that follows a telephone number without a comma may go with it.
pub fn mask(text: &str) -> Masked {
    let mut masked = Masked {
        text: text.to_owned(),
        items: Vec::new(),
    };
    // What is masked parts its neighbours, which may show what they are only then. Each round takes
    // away digits or an `@`, so that there is a last one; it is the second, but for odd texts.
    while masked.once_more() {}
    masked
}

/// All that can be told at once, in order; no two overlap.
fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = address::find(text)
        .into_iter()
        .map(|place| (place, Item::Email))
        .chain(documents::find(text))
        .chain(numbers::find(text))
        .collect();
    // Sorting is stable: of those that begin together, the first kind above stays.
    found.sort_by_key(|(place, _)| place.start);
    let mut end = 0;
    found.retain(|(place, _)| {
        let apart = place.start >= end;
        if apart {
            end = place.end;
        }
        apart
    });
    found
}

// === impl Masked ===

impl Masked {
    /// Masks what can be told at once, and says whether there was anything.
    fn once_more(&mut self) -> bool {
        let found = find(&self.text);
        let mut text = String::with_capacity(self.text.len());
        let mut end = 0;
        for (place, item) in &found {
            text.push_str(&self.text[end..place.start]);
            text.push_str(item.placeholder());
            self.items.push(*item);
            end = place.end;
        }
        text.push_str(&self.text[end..]);
        self.text = text;
        !found.is_empty()
    }
}

// === impl Item ===

impl Item {
    /// What stands in its place.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::Card => "[card]",
            Self::NationalId => "[id]",
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::NationalId => "national_id",
        })
    }
}
