//! Secrets: as files for containers, and out of every text.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// A file that only its reader may see.
#[derive(Clone)]
pub struct SecretFile {
    /// Its name in the volume.
    pub name: String,
    /// What is in it.
    pub content: SecretString,
}

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// The longest first, so that a secret within another one leaves no rest.
    needles: Vec<String>,
}

/// What stands where a secret stood.
const GONE: &str = "[redacted]";

/// Shorter ones are words and numbers that texts need.
const SHORTEST: usize = 6;

// === impl SecretFile ===

impl fmt::Debug for SecretFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl Scrubber ===

impl Scrubber {
    /// One that knows these secrets, also as URLs and debug texts write them.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut needles = Vec::new();
        for secret in secrets {
            let secret = secret.expose_secret().trim();
            if secret.len() < SHORTEST {
                continue;
            }
            needles.push(secret.to_owned());
            needles.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
            needles.push(secret.escape_debug().to_string());
            // What is in a URL's authority is a secret on its own.
            needles.extend(password_of(secret).filter(|password| password.len() >= SHORTEST));
        }
        needles.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        needles.dedup();
        Self { needles }
    }

    /// The text without secrets.
    pub fn scrub(&self, text: &str) -> String {
        self.needles
            .iter()
            .fold(text.to_owned(), |text, needle| text.replace(needle, GONE))
    }

    /// The same for every text in a document.
    pub fn scrub_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.scrub(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.scrub_json(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.scrub_json(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scrubber({} needles)", self.needles.len())
    }
}

fn password_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scrubber(secrets: &[&str]) -> Scrubber {
        let secrets: Vec<SecretString> = secrets.iter().map(|text| (*text).into()).collect();
        Scrubber::new(&secrets)
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let scrubber = scrubber(&["p@ss/word", "postgres://tria:inner-one@db/tria"]);
        let text = "p@ss/word p%40ss%2Fword postgres://tria:inner-one@db/tria inner-one";
        assert_eq!(
            scrubber.scrub(text),
            "[redacted] [redacted] [redacted] [redacted]"
        );
    }

    #[test]
    fn a_secret_within_another_leaves_no_rest() {
        assert_eq!(
            scrubber(&["abcdef", "abcdefghi"]).scrub("abcdefghi"),
            "[redacted]"
        );
    }

    #[test]
    fn words_are_left_alone() {
        assert_eq!(scrubber(&["", "tria"]).scrub("tria stands"), "tria stands");
    }

    #[test]
    fn documents_are_scrubbed_at_every_depth() {
        let mut value = json!({"a": ["s3cret-value"], "b": {"c": "x s3cret-value"}, "n": 1});
        scrubber(&["s3cret-value"]).scrub_json(&mut value);
        assert_eq!(
            value,
            json!({"a": ["[redacted]"], "b": {"c": "x [redacted]"}, "n": 1})
        );
    }

    #[test]
    fn neither_is_shown_by_debug() {
        let file = SecretFile {
            name: "key".into(),
            content: "s3cret-value".into(),
        };
        let shown = format!("{file:?} {:?}", scrubber(&["s3cret-value"]));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
