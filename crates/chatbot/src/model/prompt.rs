//! What a model is asked, and what it answers.

use std::fmt;

use serde_json::Value;

/// What a model is asked. It answers as literally as it can ([`super::ModelOptions::temperature`]).
#[derive(Clone)]
pub struct Prompt {
    pub(super) system: String,
    pub(super) turns: Vec<Turn>,
    pub(super) most_tokens: Option<u32>,
    pub(super) schema: Option<Schema>,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who is to be answered.
    User,
    /// The model, some turns ago.
    Assistant,
}

#[derive(Clone)]
pub(super) struct Turn {
    pub(super) role: Role,
    pub(super) text: String,
}

#[derive(Clone)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) schema: Value,
}

/// What a model answered.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// Its words; never none.
    pub text: String,
    /// Whether it would have gone on beyond the tokens that it had.
    pub cut_short: bool,
    /// How long the prompt was in tokens, where the API says so.
    pub prompt_tokens: Option<u32>,
    /// How long the answer was in tokens, where the API says so.
    pub answer_tokens: Option<u32>,
}

// === impl Prompt ===

impl Prompt {
    /// Begins with what the model is and must hold to. Words of a user do not belong here.
    pub fn new(system: impl Into<String>) -> Self {
        Self {
            system: system.into(),
            turns: Vec::new(),
            most_tokens: None,
            schema: None,
        }
    }

    /// Adds what the user said.
    pub fn user(self, text: impl Into<String>) -> Self {
        self.turn(Role::User, text)
    }

    /// Adds what one of the two said.
    pub fn turn(mut self, role: Role, text: impl Into<String>) -> Self {
        let text = text.into();
        self.turns.push(Turn { role, text });
        self
    }

    /// Sets how long the answer may be, in tokens ([`super::ModelOptions::most_tokens`]).
    pub fn most_tokens(mut self, most_tokens: u32) -> Self {
        self.most_tokens = Some(most_tokens);
        self
    }

    /// Asks for JSON of this JSON Schema. The name is of `[A-Za-z0-9_-]{1,64}`. OpenAI wants each
    /// object to require all of its properties, and to allow no others.
    pub fn schema(mut self, name: impl Into<String>, schema: Value) -> Self {
        let name = name.into();
        self.schema = Some(Schema { name, schema });
        self
    }
}

impl fmt::Debug for Prompt {
    /// How much there is of it; what people say is nobody's business here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("system_bytes", &self.system.len())
            .field("turns", &self.turns.len())
            .field("most_tokens", &self.most_tokens)
            .field("schema", &self.schema.as_ref().map(|schema| &schema.name))
            .finish_non_exhaustive()
    }
}

// === impl Completion ===

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("bytes", &self.text.len())
            .field("cut_short", &self.cut_short)
            .field("prompt_tokens", &self.prompt_tokens)
            .field("answer_tokens", &self.answer_tokens)
            .finish_non_exhaustive()
    }
}
