//! What a route says, before it is kept and sent.

use serde_json::{Map, Value};

use super::answer::{Citation, Mode};

/// What is said to the customer, and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) mode: Mode,
    pub(super) citations: Vec<Citation>,
    pub(super) metadata: Map<String, Value>,
}

// === impl Reply ===

impl Reply {
    /// Made by rules.
    pub(super) fn rules(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            mode: Mode::Rules,
            citations: Vec::new(),
            metadata: Map::new(),
        }
    }

    pub(super) fn citing(mut self, citations: Vec<Citation>) -> Self {
        self.citations = citations;
        self
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }
}
