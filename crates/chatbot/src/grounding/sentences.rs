//! A text, cut into sentences and clauses.

use crate::retrieval::{Kind, Passage};

/// The sentences of a text. A point within a number or before a small letter ends none.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (index, character) in text.char_indices() {
        let end = index + character.len_utf8();
        let rest = &text[end..];
        let ends = match character {
            '\n' => true,
            '.' | '!' | '?' => {
                let next = rest.trim_start().chars().next();
                rest.starts_with(char::is_whitespace) && !next.is_some_and(char::is_lowercase)
            }
            _ => false,
        };
        if ends {
            sentences.push(text[start..end].trim());
            start = end;
        }
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

/// The parts of a sentence that may say yes or no each for itself.
pub(super) fn clauses(sentence: &str) -> Vec<&str> {
    let mut clauses = vec![sentence];
    for mark in [", ", "; ", ": ", " but "] {
        let parts = clauses.iter().flat_map(|clause| clause.split(mark));
        clauses = parts.collect();
    }
    clauses
}

/// What a passage says, without its heading.
pub(super) fn body(passage: &Passage) -> &str {
    match passage.kind {
        Kind::Knowledge => {
            let text = passage.text.strip_prefix(passage.section.as_str());
            text.unwrap_or(&passage.text).trim()
        }
        Kind::Product { .. } => &passage.text,
    }
}
