//! The model against a real server, and against everything that can go wrong with one.
#![allow(missing_docs, clippy::unwrap_used)]

mod breaker;
mod embeddings;
mod faults;
mod real;
mod scripted;
mod secrets;
mod streams;

use std::time::Duration;

use serde_json::{Value, json};
use tria_chatbot::{Budget, Model, ModelError, ModelOptions, model::Prompt};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

const KEY: &str = "sk-planted-0123456789abcdefghijklmnop";
const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const HOUR: Duration = Duration::from_secs(3600);

/// Nothing here takes so long unless it hangs.
fn plenty() -> Budget {
    Budget::of(Duration::from_secs(60))
}

/// One try, and a circuit that stays out of the way.
fn options() -> ModelOptions {
    ModelOptions {
        most_retries: 0,
        failures_to_open: 1000,
        open_for: HOUR,
        ..ModelOptions::new("chat-model", "embedding-model")
    }
}

fn at(base_url: &str, options: ModelOptions) -> Model {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Model::at(base_url, KEY, options)
}

fn of(server: &MockServer, options: ModelOptions) -> Model {
    at(&format!("{}/v1", server.uri()), options)
}

/// A server that answers everything so.
async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

/// Answers the next request for this path so, before whatever is there already.
async fn once(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at))
        .respond_with(response)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(server)
        .await;
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn with(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// A completion that ended for this reason.
fn answer(text: &str, reason: &str) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1.5e9,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": reason,
        }],
        "usage": { "prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15 },
    })
}

fn says(text: &str) -> ResponseTemplate {
    with(200, &answer(text, "stop"))
}

fn prompt() -> Prompt {
    Prompt::new("You sell boxes for pizza.").user("Which sizes?")
}

async fn asked(model: &Model) -> Result<String, ModelError> {
    let answer = model.complete(&prompt(), plenty()).await;
    answer.map(|completion| completion.text)
}
