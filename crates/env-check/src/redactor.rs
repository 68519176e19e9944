//! Takes secrets out of text.

use std::{borrow::Cow, fmt};

use crate::{Key, Values, url_shape::embedded_passwords};

/// Takes every secret of a configuration out of text that leaves the process: a panic's message,
/// say, which no type can vouch for. It is a net below the types, not in their place.
///
/// ```
/// use tria_env_check::{Key, Rules, Source};
///
/// let rules = Rules::builder().key(Key::new("DATABASE_URL").secret()).build()?;
/// let source = Source::from_pairs([("DATABASE_URL", "postgres://app:s3same-0pen@db/shop")]);
/// let (values, _) = rules.read(&source);
/// let redactor = rules.redactor(&values);
/// assert_eq!(redactor.redact("login with s3same-0pen failed"), "login with [redacted] failed");
/// # Ok::<(), tria_env_check::RulesError>(())
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, since one secret may be a part of another.
    secrets: Vec<String>,
}

/// What stands for a secret.
pub const REDACTED: &str = "[redacted]";

/// Shorter ones cannot be told from ordinary text: taking them out would spoil it, and tell them.
const SHORTEST: usize = 6;

// === impl Redactor ===

impl Redactor {
    pub(crate) fn new(keys: &[Key], values: &Values) -> Self {
        let set = keys
            .iter()
            .filter(|key| key.is_secret())
            .filter_map(|key| values.get(key.name()));
        let mut secrets: Vec<String> = set
            .flat_map(|value| {
                let whole = value.trim().to_owned();
                embedded_passwords(value).into_iter().chain([whole])
            })
            .filter(|secret| secret.len() >= SHORTEST)
            .collect();
        secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// The text, with [`REDACTED`] in the place of each secret.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
            }
        }
        text
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rules, Source};

    fn redactor(pairs: &[(&'static str, &'static str)]) -> Redactor {
        let rules = Rules::builder()
            .key(Key::new("DATABASE_URL").secret())
            .key(Key::new("TOKEN").secret())
            .key(Key::new("HOST"))
            .build()
            .unwrap();
        let (values, _) = rules.read(&Source::from_pairs(pairs.iter().copied()));
        rules.redactor(&values)
    }

    #[test]
    fn secrets_go_in_every_form_and_nothing_else_does() {
        let redactor = redactor(&[
            (
                "DATABASE_URL",
                "postgres://app:p%40ss-w0rd@db.internal/shop",
            ),
            ("TOKEN", "w0rd-and-more"),
            ("HOST", "db.internal"),
        ]);
        for (text, expected) in [
            ("p%40ss-w0rd", "[redacted]"),
            ("the password p@ss-w0rd.", "the password [redacted]."),
            (
                "at postgres://app:p%40ss-w0rd@db.internal/shop!",
                "at [redacted]!",
            ),
            ("w0rd-and-more, w0rd-and-more", "[redacted], [redacted]"),
            ("db.internal says no", "db.internal says no"),
            ("", ""),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
        assert_eq!(format!("{redactor:?}"), "Redactor { secrets: 4 }");
    }

    #[test]
    fn a_secret_within_a_secret_leaves_no_rest() {
        let redactor = redactor(&[
            ("DATABASE_URL", "postgres://a:abcdef@h/d"),
            ("TOKEN", "abcdefgh"),
        ]);
        assert_eq!(redactor.redact("abcdefgh abcdef"), "[redacted] [redacted]");
    }

    #[test]
    fn what_is_too_short_to_be_told_from_text_stays() {
        let redactor = redactor(&[("TOKEN", "a")]);
        assert_eq!(redactor.redact("a banana"), "a banana");
    }
}
