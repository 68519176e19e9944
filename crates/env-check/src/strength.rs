//! How good a secret is.

use std::collections::HashMap;

/// Secrets that stand in examples and manuals, as patterns for [`Rule::forbidden`](crate::Rule::forbidden).
pub const WELL_KNOWN_DEFAULTS: &[&str] = &[
    "*change-me*",
    "*changeme*",
    "*change-this*",
    "*changethis*",
    "*example*",
    "*placeholder*",
    "*replace-me*",
    "*replace-this*",
    "*replace-with*",
    "*your-*-here*",
    "<*>",
    "${*}",
    "abc123",
    "admin",
    "administrator",
    "default",
    "dev-secret*",
    "development",
    "dummy*",
    "foobared",
    "guest",
    "insecure*",
    "insert-*",
    "letmein",
    "my-secret*",
    "not-secret",
    "pass",
    "passwd",
    "password*",
    "postgres",
    "postgresql",
    "qwerty*",
    "123456*",
    "redis",
    "root",
    "secret",
    "secret-key",
    "sk-...*",
    "sk-xxx*",
    "super-secret*",
    "supersecret*",
    "test",
    "test-key",
    "test-secret",
    "todo*",
    "token",
    "topsecret",
    "user",
    "xxx*",
    "your-*",
];

/// How many bits of entropy a value has **at most**, estimated from the value alone.
///
/// Each character that cannot be foretold counts the smaller of two figures: the logarithm of
/// the size of the alphabet (digits 10, lower case 26, upper case 26, other ASCII 33, beyond
/// ASCII 100), and the Shannon entropy of the frequencies of the value's own characters. A
/// character can be foretold when it goes on with a run (`aaa`, `1234`, `fedc`) or with a
/// sequence repeated from the beginning (`abcabcabc`).
///
/// It knows no words: `correct horse` counts as if its letters were random. It finds secrets
/// that are certainly weak, and proves none to be strong.
///
/// ```
/// use tria_env_check::estimated_bits;
/// assert!(estimated_bits("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") < 8.0);
/// assert!(estimated_bits("8f14e45fceea167a5a36dedd4bea2543") > 90.0);
/// ```
pub fn estimated_bits(value: &str) -> f64 {
    let chars: Vec<char> = value.chars().collect();
    let once = &chars[..period(&chars)];
    let surprising = once.len() - foretold_by_runs(once);
    as_float(surprising) * alphabet_bits(&chars).min(shannon_bits(&chars))
}

/// Whether `value` matches one of the patterns. `*` stands for any characters; case is ignored,
/// `_` and space are read as `-`, and digits and marks at the value's end do not save it.
pub(crate) fn is_forbidden(value: &str, patterns: &[&'static str]) -> bool {
    let whole = normalized(value);
    let stem = whole.trim_end_matches(|c: char| !c.is_alphabetic());
    patterns.iter().any(|pattern| {
        let pattern = normalized(pattern);
        matches(&pattern, &whole) || (!pattern.contains('*') && !stem.is_empty() && pattern == stem)
    })
}

fn normalized(text: &str) -> String {
    text.trim()
        .to_lowercase()
        .chars()
        .map(|c| if matches!(c, '_' | ' ') { '-' } else { c })
        .collect()
}

/// Matches `*` greedily from the left, which finds a match wherever there is one.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The length of the shortest beginning whose repetition gives at least two rounds of the whole;
/// all of it where there is none. By the prefix function of Knuth, Morris and Pratt.
fn period(chars: &[char]) -> usize {
    let mut borders = vec![0_usize; chars.len()];
    for index in 1..chars.len() {
        let mut border = borders[index - 1];
        while border > 0 && chars[index] != chars[border] {
            border = borders[border - 1];
        }
        borders[index] = border + usize::from(chars[index] == chars[border]);
    }
    let period = chars.len() - borders.last().copied().unwrap_or_default();
    if period * 2 <= chars.len() {
        period
    } else {
        chars.len()
    }
}

fn foretold_by_runs(chars: &[char]) -> usize {
    let step = |from: char, to: char| i64::from(u32::from(to)) - i64::from(u32::from(from));
    chars
        .windows(3)
        .filter(|three| {
            let before = step(three[0], three[1]);
            before.abs() <= 1 && before == step(three[1], three[2])
        })
        .count()
}

fn alphabet_bits(chars: &[char]) -> f64 {
    let has = |class: fn(&char) -> bool| chars.iter().any(class);
    let mut size = 0_u32;
    for (present, letters) in [
        (has(char::is_ascii_digit), 10),
        (has(char::is_ascii_lowercase), 26),
        (has(char::is_ascii_uppercase), 26),
        (has(|c| c.is_ascii() && !c.is_ascii_alphanumeric()), 33),
        (has(|c| !c.is_ascii()), 100),
    ] {
        size += if present { letters } else { 0 };
    }
    f64::from(size.max(1)).log2()
}

fn shannon_bits(chars: &[char]) -> f64 {
    let mut counts: HashMap<char, usize> = HashMap::new();
    for c in chars {
        *counts.entry(*c).or_default() += 1;
    }
    let total = as_float(chars.len());
    // Summed in a fixed order, so that one value always gives one figure.
    let mut shares: Vec<usize> = counts.into_values().collect();
    shares.sort_unstable();
    shares
        .into_iter()
        .map(|count| as_float(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_monotonous_has_few_bits() {
        for weak in [
            "",
            "a",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabcabcabcabcabcabcabc",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "1111111111111111222222222222222",
        ] {
            let bits = estimated_bits(weak);
            assert!(bits < 40.0, "{weak:?} has {bits} bits");
        }
    }

    #[test]
    fn what_is_random_has_many_bits() {
        for strong in [
            "8f14e45fceea167a5a36dedd4bea2543",
            "3b1f8a54-7c0e-4d59-9a8e-0f6d2c7b1e43",
            "kX2vQ9mZ7pLr4TnB8cWj5HsD",
            "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcw",
        ] {
            let bits = estimated_bits(strong);
            assert!(bits > 64.0, "{strong:?} has {bits} bits");
        }
    }

    #[test]
    fn defaults_are_found_however_they_are_dressed() {
        for bad in [
            "change_this",
            "CHANGE_THIS_IN_PRODUCTION_PLEASE_NOW",
            "change-this-to-a-random-string",
            "please changeme",
            "password",
            "Password123!",
            "secret",
            "Secret1",
            "your-api-key-here",
            "sk-your-key-here-0123456789",
            "your_secret_key_here",
            "my-example-key",
            "<your key>",
            "postgres",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(
                is_forbidden(bad, WELL_KNOWN_DEFAULTS),
                "{bad:?} is let through"
            );
        }
        for good in [
            "",
            "8f14e45fceea167a5a36dedd4bea2543",
            "sk-proj-Zk3bV9xQ2mLr7TnB",
            "testimony-of-the-owl-41",
            "secretary-bird-9-flies",
            "12345",
        ] {
            assert!(
                !is_forbidden(good, WELL_KNOWN_DEFAULTS),
                "{good:?} is refused"
            );
        }
    }

    #[test]
    fn stars_match_any_characters() {
        for (pattern, text, expected) in [
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a*", "xay", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("a", "aa", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} over {text}");
        }
    }
}
