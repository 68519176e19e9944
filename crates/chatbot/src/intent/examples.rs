//! The labelled examples, as a file that people write.

use serde::Deserialize;

use super::Intent;

/// Each intent has at least as many examples.
pub const FEWEST_EXAMPLES: usize = 15;

/// Labelled examples of each intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examples {
    examples: Vec<(Intent, String)>,
}

/// Why a text holds no examples. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExamplesError {
    /// The text is no TOML of the form that is asked for.
    #[error(
        "the examples are not of the form `[intents]` and `greeting = [\"hello\", ...]`; write them so"
    )]
    Form(#[source] toml::de::Error),
    /// There is no such intent.
    #[error("no intent is called `{name}`; rename it to one of {}", Intent::ALL.map(Intent::name).join(", "))]
    Unknown {
        /// What stands in the text.
        name: String,
    },
    /// An intent has too few.
    #[error("{intent} has {found} examples; write at least {FEWEST_EXAMPLES}")]
    TooFew {
        /// The intent.
        intent: Intent,
        /// How many there are.
        found: usize,
    },
    /// An example without a word.
    #[error("example {number} of {intent} is empty; write one or take it out")]
    Empty {
        /// The intent.
        intent: Intent,
        /// Which one, counted from 1.
        number: usize,
    },
    /// An example stands twice.
    #[error("an example of {intent} stands in {other} too: `{example}`; leave it in one place")]
    Twice {
        /// The intent where it stands again.
        intent: Intent,
        /// The intent where it stands first.
        other: Intent,
        /// The example.
        example: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    intents: toml::Table,
}

// === impl Examples ===

impl Examples {
    /// Reads `[intents]` with a list of examples for each intent by its name.
    ///
    /// # Errors
    /// [`ExamplesError`], the first problem.
    pub fn parse(text: &str) -> Result<Self, ExamplesError> {
        let file: File = toml::from_str(text).map_err(ExamplesError::Form)?;
        let mut examples: Vec<(Intent, String)> = Vec::new();
        for (name, list) in file.intents {
            let Ok(intent) = name.parse::<Intent>() else {
                return Err(ExamplesError::Unknown { name });
            };
            let list: Vec<String> = list.try_into().map_err(ExamplesError::Form)?;
            for (index, example) in list.into_iter().enumerate() {
                let example = example.trim().to_owned();
                if example.is_empty() {
                    let number = index + 1;
                    return Err(ExamplesError::Empty { intent, number });
                }
                let key = example.to_lowercase();
                let mut before = examples.iter();
                if let Some(&(other, _)) = before.find(|(_, text)| text.to_lowercase() == key) {
                    return Err(ExamplesError::Twice {
                        intent,
                        other,
                        example,
                    });
                }
                examples.push((intent, example));
            }
        }
        for intent in Intent::ALL {
            let found = examples.iter().filter(|(of, _)| *of == intent).count();
            if found < FEWEST_EXAMPLES {
                return Err(ExamplesError::TooFew { intent, found });
            }
        }
        Ok(Self { examples })
    }

    /// Each example with its intent.
    pub fn iter(&self) -> impl Iterator<Item = (Intent, &str)> {
        self.examples
            .iter()
            .map(|(intent, text)| (*intent, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn text(without: Option<Intent>) -> String {
        let mut text = "[intents]\n".to_owned();
        for intent in Intent::ALL
            .into_iter()
            .filter(|&intent| Some(intent) != without)
        {
            let list: Vec<String> = (0..FEWEST_EXAMPLES)
                .map(|n| format!("{intent} {n}"))
                .collect();
            writeln!(text, "{intent} = {list:?}").unwrap();
        }
        text
    }

    fn refusal(text: &str) -> String {
        Examples::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn every_intent_has_its_examples() {
        let examples = Examples::parse(&text(None)).unwrap();
        assert_eq!(examples.iter().count(), 7 * FEWEST_EXAMPLES);
    }

    #[test]
    fn each_error_names_the_intent_and_what_to_do() {
        let missing = refusal(&text(Some(Intent::Complaint)));
        assert_eq!(missing, "complaint has 0 examples; write at least 15");
        let empty = text(None).replace("greeting 3", " ");
        assert_eq!(
            refusal(&empty),
            "example 4 of greeting is empty; write one or take it out"
        );
        let twice = text(None).replace("\"complaint 0\"", "\"Greeting 0\"");
        assert!(refusal(&twice).contains("greeting") && refusal(&twice).contains("complaint"));
        let unknown = format!("{}chat = []\n", text(None));
        assert!(
            refusal(&unknown)
                .starts_with("no intent is called `chat`; rename it to one of greeting,")
        );
        for form in [
            "intents = 3",
            "",
            "[intents]\ngreeting = 3",
            "[intents]\n[more]",
            "[",
        ] {
            assert!(refusal(form).ends_with("write them so"), "{form}");
        }
    }
}
