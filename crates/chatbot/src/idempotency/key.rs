//! The key that a client gives a request.

use std::fmt;

/// The most characters of a key.
const MOST: usize = 255;

/// The value of the header `Idempotency-Key`: 1 to 255 visible ASCII characters of any form, since
/// clients number their requests as they like. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

/// Why a text is no key. No text holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has no characters.
    #[error("the idempotency key is empty")]
    Empty,
    /// It has more than 255 characters.
    #[error("the idempotency key is longer than 255 characters")]
    TooLong,
    /// One of its characters is not between `!` and `~`.
    #[error("the idempotency key holds other than visible ASCII characters")]
    Character,
}

// === impl Key ===

impl Key {
    /// Takes the text as it is; nothing is trimmed.
    ///
    /// # Errors
    /// When the text is not 1 to 255 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() {
            Err(KeyError::Empty)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(KeyError::Character)
        } else if text.len() > MOST {
            Err(KeyError::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The origin of this service demanded a UUID, and so refused the example of its own manual.
    #[test]
    fn any_visible_text_is_a_key() {
        for text in [
            "test-1732",
            "!",
            "~",
            "b0c6ff2e-63f1-4a0c-9d5c-0c5a8c7d1e42",
        ] {
            assert_eq!(Key::parse(text).unwrap().as_str(), text);
        }
        assert!(Key::parse(&"k".repeat(255)).is_ok());
    }

    #[test]
    fn other_texts_are_refused_and_not_repeated() {
        let long = "k".repeat(256);
        for (text, error) in [
            ("", KeyError::Empty),
            (long.as_str(), KeyError::TooLong),
            ("two words", KeyError::Character),
            ("line\n", KeyError::Character),
            ("schlüssel", KeyError::Character),
            ("\u{7f}", KeyError::Character),
        ] {
            assert_eq!(Key::parse(text), Err(error));
        }
        let key = Key::parse("secret").unwrap();
        assert!(!format!("{key:?}").contains("secret"));
    }
}
