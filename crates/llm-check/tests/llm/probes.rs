//! The probes that are billed, where they fail; the real model server shows where they pass.

use tria_llm_check::codes;

use super::*;

async fn chatting(response: ResponseTemplate) -> MockServer {
    let server = answering(model(MODEL)).await;
    on(&server, "POST", "/v1/chat/completions", response).await;
    server
}

async fn embedding(response: ResponseTemplate) -> MockServer {
    let server = answering(model(MODEL)).await;
    on(&server, "GET", "/v1/models/embed", model("embed")).await;
    on(&server, "POST", "/v1/embeddings", response).await;
    server
}

fn completion(message: &str, reason: &str) -> ResponseTemplate {
    json(
        200,
        &format!(r#"{{"choices":[{{"message":{message},"finish_reason":"{reason}"}}]}}"#),
    )
}

/// A refusal once counted as success (Exgentic#247).
#[tokio::test]
async fn a_refusal_and_silence_are_failures_for_good() {
    for (response, code) in [
        (
            completion(r#"{"refusal":"I cannot help with that."}"#, "stop"),
            codes::COMPLETION_REFUSED,
        ),
        (
            completion(r#"{"content":""}"#, "content_filter"),
            codes::COMPLETION_REFUSED,
        ),
        (
            completion(r#"{"content":"  "}"#, "stop"),
            codes::COMPLETION_EMPTY,
        ),
        (json(200, r#"{"choices":[]}"#), codes::COMPLETION_EMPTY),
        (json(200, "{}"), codes::NOT_OPENAI_API),
        (json(404, "{}"), codes::ENDPOINT_MISSING),
        (
            json(429, r#"{"error":{"code":"insufficient_quota"}}"#),
            codes::INSUFFICIENT_QUOTA,
        ),
        (
            json(404, r#"{"error":{"code":"model_not_found"}}"#),
            codes::MODEL_MISSING,
        ),
    ] {
        let server = chatting(response).await;
        let outcome = verified(&check_of(&server).completion_probe(true)).await;
        assert_permanent(&outcome, code);
        assert_eq!(outcome.findings().len(), 3, "{outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_and_thinking_are_successes() {
    for (response, text) in [
        (
            completion(r#"{"content":"ready"}"#, "length"),
            "Model gpt-4o-mini answers",
        ),
        (
            completion(r#"{"content":null,"reasoning_content":"So"}"#, "length"),
            "Model gpt-4o-mini thinks",
        ),
    ] {
        let server = chatting(response).await;
        let outcome = verified(&check_of(&server).completion_probe(true)).await;
        assert_passed(&outcome);
        assert_eq!(texts(&outcome)[2], text);
    }
}

#[tokio::test]
async fn a_probe_asks_for_few_tokens_of_the_first_model() {
    let server = chatting(completion(r#"{"content":"ready"}"#, "stop")).await;
    verified(&check_of(&server).completion_probe(true)).await;
    let requests = server.received_requests().await.unwrap();
    let request = requests
        .iter()
        .find(|request| request.method == "POST")
        .unwrap();
    let body: serde_json::Value = request.body_json().unwrap();
    assert_eq!(body["model"], MODEL);
    assert!(body["max_tokens"].as_u64().unwrap() <= 16, "{body}");
}

#[tokio::test]
async fn nothing_is_billed_where_the_model_is_missing() {
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&["other"])).await;
    let check = check_of(&server)
        .completion_probe(true)
        .embedding_probe("other", None);
    assert_permanent(&verified(&check).await, codes::MODEL_MISSING);
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn a_wrong_dimension_is_named_with_both() {
    let server = embedding(json(200, r#"{"data":[{"embedding":[0.5,-1,2e-3]}]}"#)).await;
    let outcome = verified(&check_of(&server).embedding_probe("embed", Some(384))).await;
    assert_permanent(&outcome, codes::DIMENSION_MISMATCH);
    let text = outcome.text().as_str();
    assert_eq!(
        text,
        "Embeddings of embed have 3 dimensions, where 384 are expected"
    );
    for expected in [None, Some(3)] {
        let outcome = verified(&check_of(&server).embedding_probe("embed", expected)).await;
        assert_passed(&outcome);
        assert_eq!(texts(&outcome)[3], "Embeddings of embed have 3 dimensions");
    }
}

#[tokio::test]
async fn embeddings_that_are_none_are_told() {
    for (response, code) in [
        (
            json(
                501,
                r#"{"error":{"message":"This server does not support embeddings","code":501}}"#,
            ),
            codes::EMBEDDINGS_UNSUPPORTED,
        ),
        (json(404, "{}"), codes::EMBEDDINGS_UNSUPPORTED),
        (json(200, r#"{"data":[]}"#), codes::NOT_OPENAI_API),
        (
            json(200, r#"{"data":[{"embedding":[]}]}"#),
            codes::NOT_OPENAI_API,
        ),
        (
            json(200, r#"{"data":[{"embedding":[null,1]}]}"#),
            codes::NOT_OPENAI_API,
        ),
        (json(401, "{}"), codes::AUTH_FAILED),
    ] {
        let server = embedding(response).await;
        let outcome = verified(&check_of(&server).embedding_probe("embed", Some(384))).await;
        assert_permanent(&outcome, code);
    }
}

/// A list open to anyone proves no key; an embedding does.
#[tokio::test]
async fn a_probe_that_passes_proves_the_key() {
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&[MODEL, "embed"])).await;
    on(
        &server,
        "POST",
        "/v1/embeddings",
        json(200, r#"{"data":[{"embedding":[1]}]}"#),
    )
    .await;
    let outcome = verified(&check_of(&server).embedding_probe("embed", Some(1))).await;
    assert_eq!(
        texts(&outcome)[0],
        "API key accepted by the OpenAI-compatible API"
    );
}
