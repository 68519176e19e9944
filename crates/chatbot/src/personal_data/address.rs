//! E-mail addresses.

use std::ops::Range;

/// What may stand before the `@`, besides letters and digits.
const LOCAL: &str = ".!#$%&'*+/=?^_`{|}~-";

/// The places of addresses whose domain ends as names of the Internet do.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let places = text
        .match_indices('@')
        .filter_map(|(at, _)| Some(local_start(text, at)?..domain_end(text, at + 1)?));
    places.collect()
}

fn local_start(text: &str, at: usize) -> Option<usize> {
    let is_local = |c: char| c.is_alphanumeric() || LOCAL.contains(c);
    let before = &text[..at];
    let local = before.trim_end_matches(is_local).len();
    (local < at).then_some(local)
}

/// The end of the longest name that ends in a top-level domain.
fn domain_end(text: &str, from: usize) -> Option<usize> {
    let mut end = from;
    let mut found = None;
    for (index, label) in text[from..].split('.').enumerate() {
        let is_part = |c: char| c.is_alphanumeric() || c == '-';
        let rest = label.trim_start_matches(is_part);
        let label_end = end + label.len() - rest.len();
        let part = text[end..label_end].trim_end_matches('-');
        if part.is_empty() {
            break;
        }
        if index > 0 && is_top_level(part) {
            found = Some(end + part.len());
        }
        if !rest.is_empty() {
            break;
        }
        end = label_end + 1;
    }
    found
}

fn is_top_level(label: &str) -> bool {
    label.starts_with("xn--")
        || (label.chars().count() > 1 && label.chars().all(char::is_alphabetic))
}
