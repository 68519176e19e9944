//! Bodies. What is sent has the types of async-openai; what comes is read with no more demands
//! than this application has, for compatible servers leave out what OpenAI documents and add what
//! it does not.

use async_openai::types::{
    chat::{
        ChatCompletionRequestAssistantMessageContent, ChatCompletionRequestMessage,
        ChatCompletionRequestSystemMessageContent, ChatCompletionRequestUserMessageContent,
        CreateChatCompletionRequest, ResponseFormat, ResponseFormatJsonSchema,
    },
    embeddings::{CreateEmbeddingRequest, EmbeddingInput, EncodingFormat},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Completion, ModelError, ModelOptions, Prompt,
    prompt::{Role, Turn},
};

/// The JSON of a request.
pub(super) type Body = Vec<u8>;

/// `POST /chat/completions`.
#[derive(Deserialize)]
pub(super) struct Answer {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Value,
}

/// One event of the stream of `POST /chat/completions`.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    choices: Vec<ChunkChoice>,
    #[serde(default)]
    error: Option<Value>,
}

/// What a chunk is worth; a role, a thought and the usage are worth nothing.
#[derive(Default)]
pub(super) struct Part {
    /// Some of the answer; never empty.
    pub(super) text: Option<String>,
    /// Whether the model has said all that it will.
    pub(super) finished: bool,
}

/// `POST /embeddings`.
#[derive(Deserialize)]
pub(super) struct Embeddings {
    pub(super) data: Vec<Embedding>,
}

/// One of them.
#[derive(Deserialize)]
pub(super) struct Embedding {
    pub(super) index: usize,
    pub(super) embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

/// With which a filter tells that it took the answer away.
const FILTERED: &str = "content_filter";

// === impl Answer ===

impl Answer {
    /// Whether there is an answer at all, be it empty.
    pub(super) fn is_any(&self) -> bool {
        !self.choices.is_empty()
    }

    /// The answer.
    ///
    /// # Errors
    /// [`ModelError::Withheld`], and [`ModelError::Malformed`] without a word.
    pub(super) fn completion(self) -> Result<Completion, ModelError> {
        let tokens = |name: &str| {
            let count = self.usage.get(name).and_then(Value::as_u64)?;
            u32::try_from(count).ok()
        };
        let (prompt_tokens, answer_tokens) = (tokens("prompt_tokens"), tokens("completion_tokens"));
        let choice = self.choices.into_iter().next();
        let Choice {
            message,
            finish_reason,
        } = choice.ok_or(ModelError::Malformed)?;
        let ended = finish_reason.as_deref();
        if message.is_refusal() || ended == Some(FILTERED) {
            return Err(ModelError::Withheld);
        }
        let cut_short = ended == Some("length");
        let text = message.content.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(ModelError::Malformed);
        }
        Ok(Completion {
            text,
            cut_short,
            prompt_tokens,
            answer_tokens,
        })
    }
}

// === impl Chunk ===

impl Chunk {
    /// What the first choice brings.
    ///
    /// # Errors
    /// [`ModelError::Withheld`], and whatever an error in the stream means.
    pub(super) fn part(self) -> Result<Part, ModelError> {
        if let Some(error) = self.error.filter(|error| !error.is_null()) {
            return Err(super::refusal::judge_event(&error));
        }
        let Some(choice) = self.choices.into_iter().next() else {
            return Ok(Part::default());
        };
        let message = choice.delta.unwrap_or_default();
        let ended = choice.finish_reason.as_deref();
        if message.is_refusal() || ended == Some(FILTERED) {
            return Err(ModelError::Withheld);
        }
        Ok(Part {
            finished: ended.is_some(),
            text: message.content.filter(|text| !text.is_empty()),
        })
    }
}

// === impl Message ===

impl Message {
    fn is_refusal(&self) -> bool {
        let refusal = self.refusal.as_deref();
        refusal.is_some_and(|refusal| !refusal.is_empty())
    }
}

/// Asks for a completion, or for a stream of its pieces.
pub(super) fn chat(prompt: &Prompt, options: &ModelOptions, openai: bool, stream: bool) -> Body {
    let system = ChatCompletionRequestSystemMessageContent::from(prompt.system.as_str());
    let system = ChatCompletionRequestMessage::System(system.into());
    let turns = prompt.turns.iter().map(message);
    let most_tokens = Some(prompt.most_tokens.unwrap_or(options.most_tokens));
    // OpenAI's reasoning models refuse the old name of the limit, many servers ignore the new one.
    let (new_name, old_name) = if openai {
        (most_tokens, None)
    } else {
        (None, most_tokens)
    };
    let format = prompt.schema.as_ref().map(|schema| {
        let json_schema = ResponseFormatJsonSchema {
            description: None,
            name: schema.name.clone(),
            schema: schema.schema.clone(),
            strict: Some(true),
        };
        ResponseFormat::JsonSchema { json_schema }
    });
    #[expect(
        deprecated,
        reason = "the old name of the limit is what most servers know"
    )]
    let request = CreateChatCompletionRequest {
        messages: std::iter::once(system).chain(turns).collect(),
        model: options.chat_model.clone(),
        temperature: options.temperature,
        max_completion_tokens: new_name,
        max_tokens: old_name,
        response_format: format,
        stream: stream.then_some(true),
        ..CreateChatCompletionRequest::default()
    };
    body(&request)
}

/// Asks for a vector for each text.
pub(super) fn embeddings(texts: Vec<String>, model: &str) -> Body {
    body(&CreateEmbeddingRequest {
        model: model.to_owned(),
        input: EmbeddingInput::StringArray(texts),
        encoding_format: Some(EncodingFormat::Float),
        user: None,
        dimensions: None,
    })
}

fn message(turn: &Turn) -> ChatCompletionRequestMessage {
    let text = turn.text.as_str();
    match turn.role {
        Role::User => {
            let content = ChatCompletionRequestUserMessageContent::from(text);
            ChatCompletionRequestMessage::User(content.into())
        }
        Role::Assistant => {
            let content = ChatCompletionRequestAssistantMessageContent::from(text);
            ChatCompletionRequestMessage::Assistant(content.into())
        }
    }
}

fn body(request: &impl Serialize) -> Body {
    serde_json::to_vec(request).expect("a request is made of texts, numbers and JSON")
}
