//! A real model behind a real server.

use futures_util::TryStreamExt;
use serde::Deserialize;
use tria_chatbot::model::FailureKind;
use tria_devstack::SharedStack;

use super::*;

async fn stack() -> SharedStack {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tria_devstack::shared().await.unwrap()
}

/// A busy machine makes a small model slow.
fn patient(stack: &SharedStack) -> ModelOptions {
    ModelOptions {
        embed_limit: Duration::from_secs(60),
        complete_limit: Duration::from_secs(60),
        first_piece_limit: Duration::from_secs(60),
        next_piece_limit: Duration::from_secs(60),
        ..ModelOptions::new(stack.chat_model(), stack.embedding_model())
    }
}

async fn model() -> Model {
    let stack = stack().await;
    Model::at(&stack.model_base_url(), stack.model_key(), patient(&stack))
}

#[tokio::test]
async fn it_answers_in_words() {
    let model = model().await;
    let answer = model
        .complete(&prompt().most_tokens(24), plenty())
        .await
        .unwrap();
    assert!(!answer.text.trim().is_empty());
    assert!(answer.prompt_tokens.unwrap() > 5);
    assert!((1..=24).contains(&answer.answer_tokens.unwrap()));
    let reading = model.breaker();
    assert_eq!(
        (reading.chat.calls_total, reading.chat.failures_total),
        (1, 0)
    );
}

#[tokio::test]
async fn an_answer_that_its_tokens_cut_short_says_so() {
    let answer = model()
        .await
        .complete(&prompt().most_tokens(2), plenty())
        .await
        .unwrap();
    assert!(answer.cut_short, "{answer:?}");
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    size: Size,
    quantity: u32,
}

#[tokio::test]
async fn it_answers_in_the_form_of_a_schema() {
    let schema = json!({
        "type": "object",
        "properties": {
            "size": { "type": "string", "enum": ["small", "large"] },
            "quantity": { "type": "integer", "minimum": 1, "maximum": 99 },
        },
        "required": ["size", "quantity"],
        "additionalProperties": false,
    });
    let prompt = Prompt::new("Say what was ordered.")
        .user("Twelve small boxes, please.")
        .most_tokens(64)
        .schema("order", schema);
    let order: Order = model().await.structured(&prompt, plenty()).await.unwrap();
    assert!(matches!(order.size, Size::Small | Size::Large));
    assert!((1..=99).contains(&order.quantity));
}

#[tokio::test]
async fn it_answers_piece_by_piece() {
    let model = model().await;
    let stream = model.stream(&prompt().most_tokens(24), plenty());
    let pieces: Vec<String> = stream.try_collect().await.unwrap();
    assert!(pieces.len() > 1, "{} pieces", pieces.len());
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    let chat = model.breaker().chat;
    assert_eq!((chat.calls_total, chat.failures_total), (1, 0));
}

#[tokio::test]
async fn it_embeds_and_so_does_its_embedder() {
    let model = model().await;
    // More than go into one request.
    let texts: Vec<String> = (0..66).map(|n| format!("{n} napkins")).collect();
    let vectors = model.embed(&texts, plenty()).await.unwrap();
    assert_eq!(vectors.len(), 66);
    assert_eq!(model.breaker().embeddings.calls_total, 2);
    let embedder = model.embedder();
    assert_eq!(embedder.model(), model.embedding_model());
    let again = embedder.embed(&texts[65..]).await.unwrap();
    let cosine: f32 = again[0].iter().zip(&vectors[65]).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.999, "{cosine}");
    assert_eq!(model.breaker().embeddings.calls_total, 3);
    let none: [&str; 0] = [];
    assert!(model.embed(&none, plenty()).await.unwrap().is_empty());
    assert_eq!(model.breaker().embeddings.calls_total, 3);
}

#[tokio::test]
async fn a_wrong_key_is_told_from_the_rest_by_every_way_to_ask() {
    let stack = stack().await;
    let model = Model::at(&stack.model_base_url(), KEY, patient(&stack));
    let is_unauthorized = |error: ModelError| matches!(error, ModelError::Refused { status: 401 });
    assert!(is_unauthorized(asked(&model).await.unwrap_err()));
    assert!(is_unauthorized(
        model.embed(&["x"], plenty()).await.unwrap_err()
    ));
    let streamed: Result<Vec<_>, _> = model.stream(&prompt(), plenty()).try_collect().await;
    assert!(is_unauthorized(streamed.unwrap_err()));
    let reading = model.breaker();
    assert_eq!(reading.chat.failures.of(FailureKind::Unauthorized), 2);
    assert_eq!(reading.embeddings.failures.of(FailureKind::Unauthorized), 1);
}
