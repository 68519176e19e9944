//! Against real models behind llama.cpp's server.

use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs,
};
use tria_check::PublicValue;
use tria_devstack::{FaultProxy, Mode, ModelServer, ModelServerOptions, SharedStack};
use tria_llm_check::codes;

use super::*;

const DIMENSIONS: usize = ModelServer::EMBEDDING_DIMENSIONS;

fn at(stack: &SharedStack, key: &str) -> Endpoint {
    let options = EndpointOptions::new(key).base_url(stack.model_base_url());
    options.build().unwrap()
}

async fn verified_with(key: &str, check: &LlmCheck) -> Outcome {
    Kit::new().secret(key).verify(check).await.unwrap()
}

#[tokio::test]
async fn key_and_models_are_proven() {
    let stack = tria_devstack::shared().await.unwrap();
    let endpoint = at(&stack, stack.model_key());
    let check =
        LlmCheck::new(&endpoint, stack.chat_model()).embedding_model(stack.embedding_model());
    let outcome = verified_with(stack.model_key(), &check).await;
    assert_passed(&outcome);
    let told = texts(&outcome);
    assert!(told[0].contains("API key"), "{told:?}");
    assert_eq!(
        told[1],
        format!("Model {} is available", stack.chat_model())
    );
    assert_eq!(
        told[2],
        format!("Model {} is available", stack.embedding_model())
    );
    assert_eq!(
        outcome.observed_value("models_listed"),
        Some(&PublicValue::Int(2))
    );
}

/// llama.cpp's `error.code` is an integer, on which async-openai loses the status.
#[tokio::test]
async fn a_wrong_key_is_refused() {
    let stack = tria_devstack::shared().await.unwrap();
    let check = LlmCheck::new(&at(&stack, KEY), stack.chat_model());
    let outcome = verified(&check).await;
    assert_permanent(&outcome, codes::AUTH_FAILED);
    assert!(
        detail(&outcome).contains("Invalid API Key"),
        "{}",
        detail(&outcome)
    );
}

#[tokio::test]
async fn an_unknown_model_is_named_with_those_that_exist() {
    let stack = tria_devstack::shared().await.unwrap();
    let check = LlmCheck::new(&at(&stack, stack.model_key()), "no-such-model");
    let outcome = verified_with(stack.model_key(), &check).await;
    assert_permanent(&outcome, codes::MODEL_MISSING);
    assert!(outcome.text().as_str().contains("no-such-model"));
    assert!(
        remedy(&outcome).contains(stack.chat_model()),
        "{}",
        remedy(&outcome)
    );
}

#[tokio::test]
async fn a_wrong_path_is_told() {
    let stack = tria_devstack::shared().await.unwrap();
    let base = format!("{}/nonsense", stack.model_base_url());
    let options = EndpointOptions::new(stack.model_key()).base_url(base);
    let check = LlmCheck::new(&options.build().unwrap(), stack.chat_model());
    assert_permanent(
        &verified_with(stack.model_key(), &check).await,
        codes::ENDPOINT_MISSING,
    );
}

#[tokio::test]
async fn embeddings_have_their_dimension() {
    let stack = tria_devstack::shared().await.unwrap();
    let endpoint = at(&stack, stack.model_key());
    let check = |dimension| {
        LlmCheck::new(&endpoint, stack.chat_model())
            .embedding_probe(stack.embedding_model(), dimension)
            .timeout(Duration::from_secs(20))
    };
    let outcome = verified_with(stack.model_key(), &check(Some(DIMENSIONS))).await;
    assert_passed(&outcome);
    let seen = outcome.observed_value("embedding_dimension");
    assert_eq!(seen, Some(&PublicValue::Int(384)));
    assert_eq!(
        texts(&outcome)[0],
        "API key accepted by the OpenAI-compatible API"
    );
    let outcome = verified_with(stack.model_key(), &check(Some(1536))).await;
    assert_permanent(&outcome, codes::DIMENSION_MISMATCH);
}

#[tokio::test]
async fn a_completion_is_made() {
    let stack = tria_devstack::shared().await.unwrap();
    let check = LlmCheck::new(&at(&stack, stack.model_key()), stack.chat_model())
        .completion_probe(true)
        .timeout(Duration::from_secs(20));
    let outcome = verified_with(stack.model_key(), &check).await;
    assert_passed(&outcome);
    assert_eq!(
        texts(&outcome)[2],
        format!("Model {} answers", stack.chat_model())
    );
}

#[tokio::test]
async fn the_client_of_the_endpoint_speaks_to_the_same_server() {
    let stack = tria_devstack::shared().await.unwrap();
    let client = at(&stack, stack.model_key()).client();
    let request = CreateChatCompletionRequestArgs::default()
        .model(stack.chat_model())
        .messages([ChatCompletionRequestUserMessage::from("Say ready").into()])
        .max_completion_tokens(4_u32)
        .build()
        .unwrap();
    let answer = client.chat().create(request).await.unwrap();
    assert_eq!(answer.choices.len(), 1);
}

#[tokio::test]
async fn a_network_that_breaks_is_told_and_recovers() {
    let stack = tria_devstack::shared().await.unwrap();
    let base = stack.model_base_url();
    let upstream = base.trim_start_matches("http://").trim_end_matches("/v1");
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    let base = format!("http://127.0.0.1:{}/v1", proxy.port());
    let options = EndpointOptions::new(stack.model_key()).base_url(base);
    let check = LlmCheck::new(&options.build().unwrap(), stack.chat_model());
    let check = check.timeout(Duration::from_secs(1));
    for (mode, code) in [
        (Mode::Refuse, codes::CONNECT_REFUSED),
        (Mode::ResetMidReply, codes::CONNECTION_LOST),
        (Mode::BlackHole, codes::RESPONSE_TIMEOUT),
        (Mode::Garbage, codes::NOT_OPENAI_API),
        (Mode::Pass, Code::OK),
    ] {
        proxy.set(mode).await;
        let outcome = verified_with(stack.model_key(), &check).await;
        assert_eq!(outcome.code(), code, "{mode:?}: {}", detail(&outcome));
    }
}

#[tokio::test]
async fn a_server_that_stops_and_comes_back_is_followed() {
    let options = ModelServerOptions {
        api_key: Some(KEY.to_owned()),
        port: None,
    };
    let mut server = ModelServer::start(options).await.unwrap();
    let check = LlmCheck::new(&endpoint(&server.base_url()), ModelServer::CHAT_MODEL);
    assert_passed(&verified(&check).await);
    server.stop().await;
    assert_transient(&verified(&check).await, codes::CONNECT_REFUSED, None);
    server.restart().await.unwrap();
    assert_passed(&verified(&check).await);
}
