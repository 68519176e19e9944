//! How much of a text a model for embeddings takes in.

/// Small models take in 512 tokens, two of which mark begin and end, and some servers fail at more
/// instead of leaving out the rest. No character but white space is more than a token.
const REACH: usize = 500;

/// The beginning of a text, as far as any model reaches: what a message is about stands there.
pub(super) fn within(text: &str) -> &str {
    let told = text.char_indices().filter(|(_, it)| !it.is_whitespace());
    match told.map(|(at, _)| at).nth(REACH) {
        Some(end) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_behind_its_first_characters_on_a_boundary() {
        let short = "ß a".repeat(250);
        assert_eq!(within(&short), short);
        let long = "ß a".repeat(251);
        assert_eq!(within(&long), short);
        assert_eq!(within(""), "");
    }
}
