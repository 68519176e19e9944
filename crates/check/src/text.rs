//! Text that anyone may read, and text that only operators may read.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// A value that may stand in a public text: a number, a flag, a fixed word, or a word from
/// outside reduced to harmless characters.
///
/// Text from outside enters only through [`PublicValue::word`], which is the one place to look at
/// when reviewing what can become public.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PublicValue {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A flag.
    Bool(bool),
    /// A word of at most [`PublicValue::WORD_MAX`] harmless characters.
    Word(Cow<'static, str>),
}

/// Text that is safe to show anyone: a template fixed at compile time, filled with
/// [`PublicValue`]s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PublicText(Cow<'static, str>);

/// Text for operators: chains of errors, hosts, names of users. It has no `Serialize` and no
/// `Display`, and its `Debug` hides it; [`PrivateText::expose`] is the only way to read it.
///
/// It must still hold no secret: whoever may read diagnostics need not know the passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateText(String);

// === impl PublicValue ===

impl PublicValue {
    /// The longest word that is kept; what is longer is cut.
    pub const WORD_MAX: usize = 64;

    /// A word from outside (a version, a table's name). Characters other than ASCII letters,
    /// digits, space and `_ . - : + / ,` become `?`, and only the first
    /// [`PublicValue::WORD_MAX`] are kept.
    ///
    /// ```
    /// use tria_check::PublicValue;
    /// assert_eq!(PublicValue::word("15.18 (Debian)").to_string(), "15.18 ?Debian?");
    /// ```
    pub fn word(raw: &str) -> Self {
        let harmless = |c: char| {
            if c.is_ascii_alphanumeric() || " _.-:+/,".contains(c) {
                c
            } else {
                '?'
            }
        };
        Self::Word(
            raw.chars()
                .take(Self::WORD_MAX)
                .map(harmless)
                .collect::<String>()
                .into(),
        )
    }

    /// A list of words from outside, joined with `, `; each is cleaned as in
    /// [`PublicValue::word`], the whole is not cut.
    pub fn words<I: IntoIterator<Item = S>, S: AsRef<str>>(raw: I) -> Self {
        let words: Vec<String> = raw
            .into_iter()
            .map(|word| Self::word(word.as_ref()).to_string())
            .collect();
        Self::Word(words.join(", ").into())
    }
}

impl fmt::Display for PublicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Word(value) => value.fmt(f),
        }
    }
}

impl From<&'static str> for PublicValue {
    fn from(word: &'static str) -> Self {
        Self::Word(Cow::Borrowed(word))
    }
}

impl From<f64> for PublicValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for PublicValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! public_value_from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for PublicValue {
            /// Saturates at the bounds of `i64`.
            fn from(value: $integer) -> Self {
                Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
            }
        }
    )*};
}
public_value_from_integers!(u8, u16, u32, u64, usize, i16, i32, i64);

// === impl PublicText ===

impl PublicText {
    /// A fixed text.
    pub const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A fixed template whose `{}` are replaced in order by `values`. Surplus values are
    /// dropped; a `{}` without a value stays as it is.
    ///
    /// ```
    /// use tria_check::{PublicText, PublicValue};
    /// let text = PublicText::filled("Connected to PostgreSQL {}", &[PublicValue::word("15.18")]);
    /// assert_eq!(text.as_str(), "Connected to PostgreSQL 15.18");
    /// ```
    pub fn filled(template: &'static str, values: &[PublicValue]) -> Self {
        let mut parts = template.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        let mut values = values.iter();
        for part in parts {
            match values.next() {
                Some(value) => text.push_str(&value.to_string()),
                None => text.push_str("{}"),
            }
            text.push_str(part);
        }
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for PublicText {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl From<PublicText> for PublicValue {
    fn from(text: PublicText) -> Self {
        Self::Word(text.0)
    }
}

// === impl PrivateText ===

impl PrivateText {
    /// Text for operators only. The caller has taken secrets out of it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An error with its chain of sources, joined with `: `. A source whose text the level above
    /// repeats already is not written twice.
    pub fn from_error(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let inner_text = inner.to_string();
            if !text.ends_with(&inner_text) {
                text.push_str(": ");
                text.push_str(&inner_text);
            }
            source = inner.source();
        }
        Self(text)
    }

    /// The text, for a reader who may see it: a log of the process, authorised diagnostics.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateText([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_loses_what_could_carry_markup_or_credentials() {
        let word = PublicValue::word("postgres://user:pw@host/<script>\n");
        assert_eq!(word.to_string(), "postgres://user:pw?host/?script??");
        assert_eq!(
            PublicValue::word(&"x".repeat(500)).to_string().len(),
            PublicValue::WORD_MAX
        );
    }

    #[test]
    fn a_template_is_filled_in_order() {
        let text = PublicText::filled("{} of {} ({})", &[1.into(), 2_u64.into()]);
        assert_eq!(text.as_str(), "1 of 2 ({})");
        let values = [PublicValue::from("{}"), PublicValue::from("b")];
        assert_eq!(PublicText::filled("{}-{}", &values).as_str(), "{}-b");
    }

    #[test]
    fn private_text_is_hidden_from_debug() {
        let private = PrivateText::new("host db.internal refused");
        assert!(!format!("{private:?}").contains("db.internal"));
        assert_eq!(private.expose(), "host db.internal refused");
    }

    #[test]
    fn an_error_chain_is_written_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect")]
        struct Outer(#[source] std::io::Error);
        let text = PrivateText::from_error(&Outer(std::io::Error::other("no route")));
        assert_eq!(text.expose(), "cannot connect: no route");
    }
}
