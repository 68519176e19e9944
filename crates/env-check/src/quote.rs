//! Values and keys, as they may be printed.

use tria_check::PublicValue;

/// The longest part of a value that is quoted, in characters.
const LONGEST: usize = 40;

/// A secret shorter than this would hide half of all values, and could be guessed anyway.
const SHORTEST_SECRET: usize = 4;

/// A value that is no secret, in quotes, with control characters escaped, and cut. `None` where
/// it may hold a secret all the same: credentials of a URL, or the value of a secret key.
pub(crate) fn quoted(value: &str, secrets: &[String]) -> Option<String> {
    let leaks = |secret: &String| {
        secret.chars().nth(SHORTEST_SECRET - 1).is_some() && value.contains(secret.as_str())
    };
    if value.contains('@') || secrets.iter().any(leaks) {
        return None;
    }
    let mut shown = value;
    if value.contains("://") {
        // Tokens are often put into the query.
        shown = value.split(['?', '#']).next().unwrap_or_default();
    }
    let escaped: String = shown
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    let is_cut = shown.len() < value.len() || shown.chars().nth(LONGEST).is_some();
    let quoted = format!("\"{escaped}{}\"", if is_cut { "…" } else { "" });
    // Escaping doubles backslashes and may thereby complete a secret.
    (!secrets.iter().any(|secret| {
        secret.chars().nth(SHORTEST_SECRET - 1).is_some() && quoted.contains(secret.as_str())
    }))
    .then_some(quoted)
}

/// A key's name, reduced to harmless characters.
pub(crate) fn key_word(key: &str) -> PublicValue {
    PublicValue::word(key)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn values_are_cleaned_and_cut() {
        assert_eq!(quoted("8003", &[]).as_deref(), Some("\"8003\""));
        let nasty = quoted("a\u{1b}[2J\n\u{202e}b", &[]).unwrap();
        assert_eq!(nasty, r#""a\u{1b}[2J\n\u{202e}b""#);
        let long = quoted(&"ü".repeat(500), &[]).unwrap();
        assert_eq!(long.chars().count(), 43);
    }

    #[test]
    fn what_may_hold_a_secret_is_not_quoted() {
        assert_eq!(quoted("http://user:pass@host", &[]), None);
        assert_eq!(quoted("x-hunter2-y", &["hunter2".to_owned()]), None);
        let query = quoted("http://host/?token=hunter2", &[]).unwrap();
        assert_eq!(query, "\"http://host/…\"");
    }
}
