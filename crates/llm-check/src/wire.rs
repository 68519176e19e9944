//! Bodies, read with no more demands than the checks have: compatible servers leave out what
//! OpenAI documents, and add what it does not.

use serde::Deserialize;
use serde_json::Value;

/// `GET /models/{model}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) id: String,
    /// Other names of the same model (llama.cpp).
    #[serde(default)]
    aliases: Option<Vec<String>>,
}

/// `GET /models`. A server without any model may answer `null` (Ollama), but the field must be
/// there: without it this is some other JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct ModelList {
    #[serde(deserialize_with = "Option::deserialize")]
    data: Option<Vec<Model>>,
}

/// `POST /embeddings`.
#[derive(Debug, Deserialize)]
pub(crate) struct Embeddings {
    data: Vec<EmbeddingVector>,
}

#[derive(Debug, Deserialize)]
struct EmbeddingVector {
    embedding: Vec<f64>,
}

/// `POST /chat/completions`.
#[derive(Debug, Deserialize)]
pub(crate) struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Value,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    reasoning_content: Option<String>,
}

/// What a completion came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The model wrote something.
    Something,
    /// The model thought until its few tokens were spent; it works.
    ThoughtOnly,
    /// The model refused, or a filter took the answer away.
    Refused,
    /// Nothing.
    Nothing,
}

/// The body of an error, in whatever shape.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    /// `code` and `type`, written as text and lowercase; OpenAI's `code` is a string, llama.cpp's
    /// an integer.
    pub(crate) labels: Vec<String>,
}

// === impl ModelList ===

impl ModelList {
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.models().iter().map(|model| model.id.as_str())
    }

    pub(crate) fn len(&self) -> usize {
        self.models().len()
    }

    pub(crate) fn holds(&self, name: &str) -> bool {
        self.models().iter().any(|model| {
            let aliases = model.aliases.as_deref().unwrap_or_default();
            model.id == name || aliases.iter().any(|alias| alias == name)
        })
    }

    fn models(&self) -> &[Model] {
        self.data.as_deref().unwrap_or_default()
    }
}

// === impl Embeddings ===

impl Embeddings {
    /// The dimension of the first vector; `None` when there is none, or an empty one.
    pub(crate) fn dimension(&self) -> Option<usize> {
        let vector = &self.data.first()?.embedding;
        (!vector.is_empty()).then_some(vector.len())
    }
}

// === impl Completion ===

impl Completion {
    pub(crate) fn said(&self) -> Said {
        let Some(choice) = self.choices.first() else {
            return Said::Nothing;
        };
        let filled = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        let ended = choice.finish_reason.as_deref();
        if filled(&choice.message.refusal) || ended == Some("content_filter") {
            Said::Refused
        } else if filled(&choice.message.content) {
            Said::Something
        } else if ended == Some("length")
            && (filled(&choice.message.reasoning_content) || self.has_reasoned())
        {
            Said::ThoughtOnly
        } else {
            Said::Nothing
        }
    }

    fn has_reasoned(&self) -> bool {
        let tokens = self
            .usage
            .pointer("/completion_tokens_details/reasoning_tokens");
        tokens
            .and_then(Value::as_u64)
            .is_some_and(|tokens| tokens > 0)
    }
}

// === impl ErrorBody ===

impl ErrorBody {
    /// Reads `{"error":{…}}`, `[{"error":{…}}]` (Gemini), `{"error":"…"}`, `{"message":…}` (vLLM)
    /// and `{"detail":…}` (`FastAPI`). `None` when the body is no JSON.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let object = json.get(0).unwrap_or(&json);
        let error = object.get("error").unwrap_or(object);
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let whole = error.as_str().map(str::to_owned);
        let message = whole.or_else(|| text("message")).or_else(|| text("detail"));
        let labels = ["code", "type"].iter().filter_map(|name| text(name));
        Some(Self {
            message: message.unwrap_or_default(),
            labels: labels.map(|label| label.to_ascii_lowercase()).collect(),
        })
    }

    pub(crate) fn is_labelled(&self, labels: &[&str]) -> bool {
        self.labels
            .iter()
            .any(|label| labels.contains(&label.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(message: &str, labels: &[&str]) -> ErrorBody {
        ErrorBody {
            message: message.into(),
            labels: labels.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        for (raw, read) in [
            (
                r#"{"error":{"message":"m","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
                Some(body("m", &["invalid_api_key", "invalid_request_error"])),
            ),
            (
                r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
                Some(body("Invalid API Key", &["401", "authentication_error"])),
            ),
            (
                r#"[{"error":{"code":400,"message":"m"}}]"#,
                Some(body("m", &["400"])),
            ),
            (
                r#"{"error":"model not found"}"#,
                Some(body("model not found", &[])),
            ),
            (
                r#"{"object":"error","message":"m","type":"NotFoundError","code":404}"#,
                Some(body("m", &["404", "notfounderror"])),
            ),
            (r#"{"detail":"Not Found"}"#, Some(body("Not Found", &[]))),
            ("[]", Some(body("", &[]))),
            ("7", Some(body("", &[]))),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(ErrorBody::parse(raw.as_bytes()), read, "{raw}");
        }
    }

    #[test]
    fn lists_may_be_sparse_but_must_be_lists() {
        let list = |raw| serde_json::from_str::<ModelList>(raw);
        assert_eq!(list(r#"{"object":"list","data":null}"#).unwrap().len(), 0);
        let one = list(r#"{"data":[{"id":"a","aliases":["b"],"created":1.5e9}]}"#).unwrap();
        assert!(one.holds("a") && one.holds("b") && !one.holds("c"));
        for other in [r#"{"status":"ok"}"#, "[]", r#"{"data":[1]}"#] {
            assert!(list(other).is_err(), "{other}");
        }
    }

    #[test]
    fn completions_are_weighed() {
        let said = |raw: &str| serde_json::from_str::<Completion>(raw).unwrap().said();
        let message = |message: &str, reason: &str| {
            said(&format!(
                r#"{{"choices":[{{"message":{message},"finish_reason":"{reason}"}}]}}"#
            ))
        };
        assert_eq!(message(r#"{"content":"ready"}"#, "stop"), Said::Something);
        assert_eq!(message(r#"{"content":" \n"}"#, "stop"), Said::Nothing);
        assert_eq!(message(r#"{"content":null}"#, "length"), Said::Nothing);
        assert_eq!(
            message(r#"{"refusal":"no","content":"x"}"#, "stop"),
            Said::Refused
        );
        assert_eq!(
            message(r#"{"content":""}"#, "content_filter"),
            Said::Refused
        );
        assert_eq!(
            message(r#"{"content":"","reasoning_content":"hm"}"#, "length"),
            Said::ThoughtOnly
        );
        let reasoned = r#"{"choices":[{"message":{"content":""},"finish_reason":"length"}],
            "usage":{"completion_tokens_details":{"reasoning_tokens":16}}}"#;
        assert_eq!(said(reasoned), Said::ThoughtOnly);
        assert_eq!(said(r#"{"choices":[]}"#), Said::Nothing);
    }
}
