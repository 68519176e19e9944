//! Takes the key out of what a server says.

/// What stands where a key stood.
const MARK: &str = "[key]";
/// A run of the key this long or longer is not shown either: servers echo keys masked in the
/// middle.
const WINDOW: usize = 8;
/// The longest text that is kept, in characters.
const LONGEST: usize = 300;

/// `text` without `secret`, without any part of it that is long enough to help, without anything
/// that looks like a key of OpenAI (`sk-…`) or like a masked key (`abc***xyz`), on one line and
/// cut to a bearable length.
pub(crate) fn scrub(text: &str, secret: &str) -> String {
    let text = if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, MARK)
    };
    let delimiter = |c: char| c.is_whitespace() || "\"'`<>()[]{},;".contains(c);
    let mut clean = String::with_capacity(text.len());
    for piece in text.split_inclusive(delimiter) {
        let word = piece.trim_end_matches(delimiter);
        if is_key_like(word, secret) {
            clean.push_str(MARK);
        } else {
            clean.push_str(word);
        }
        let end = piece[word.len()..].chars();
        clean.extend(end.map(|c| if c.is_control() { ' ' } else { c }));
    }
    match clean.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None => clean,
    }
}

fn is_key_like(word: &str, secret: &str) -> bool {
    let masked = word.contains("***") || word.contains("•••");
    masked || holds_prefix(word) || shares_run(word, secret)
}

/// Whether `sk-` begins a word within `word`, as in `key=sk-…` but not in `task-force`.
fn holds_prefix(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.match_indices("sk-").any(|(at, _)| {
        let before = lower[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

fn shares_run(word: &str, secret: &str) -> bool {
    word.len() >= WINDOW
        && secret
            .as_bytes()
            .windows(WINDOW)
            .any(|run| word.as_bytes().windows(WINDOW).any(|part| part == run))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "local-0123456789abcdefghijkl";

    #[test]
    fn the_whole_key_and_its_parts_vanish() {
        for (said, kept) in [
            (
                format!("Incorrect API key provided: {KEY}."),
                "Incorrect API key provided: [key].",
            ),
            (format!("bad {}…", &KEY[..12]), "bad [key]"),
            (format!("key={KEY}&x"), "key=[key]&x"),
            (format!("\"{}\"", &KEY[10..]), "\"[key]\""),
            (
                "Incorrect: sk-proj-****abcd. Find it".to_owned(),
                "Incorrect: [key] Find it",
            ),
            ("loca****ijkl is wrong".to_owned(), "[key] is wrong"),
            ("key=sk-abc <b>SK-DEF</b>".to_owned(), "[key] <b>[key]</b>"),
        ] {
            assert_eq!(scrub(&said, KEY), kept);
        }
    }

    #[test]
    fn a_key_with_delimiters_and_a_short_one_vanish_too() {
        assert_eq!(scrub("was a,b;c{d}e!", "a,b;c{d}e"), "was [key]!");
        assert_eq!(scrub("was hush", "hush"), "was [key]");
    }

    #[test]
    fn harmless_words_stay_and_control_characters_go() {
        let said = "the task-force desk-top\n\tmodel 'gpt-4o' is off";
        assert_eq!(
            scrub(said, KEY),
            "the task-force desk-top  model 'gpt-4o' is off"
        );
        assert_eq!(scrub("fine", ""), "fine");
    }

    #[test]
    fn a_long_text_is_cut_after_it_was_cleaned() {
        let said = format!("{}{KEY}", "é ".repeat(148));
        let clean = scrub(&said, KEY);
        assert!(clean.ends_with('…') || clean.ends_with(MARK), "{clean}");
        assert!(!clean.contains("local-"));
        assert!(scrub(&"x".repeat(5000), KEY).len() < 310);
    }
}
