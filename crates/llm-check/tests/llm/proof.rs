//! What is proven, in how many calls.

use tria_check::{Check, Cost, PublicValue};
use tria_llm_check::codes;

use super::*;

async fn calls(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let line = |request: &wiremock::Request| format!("{} {}", request.method, request.url.path());
    requests.iter().map(line).collect()
}

#[tokio::test]
async fn one_model_is_one_call() {
    let server = answering(model(MODEL)).await;
    let outcome = once(&check_of(&server)).await;
    assert_eq!(
        texts(&outcome),
        [
            "API key accepted by the OpenAI-compatible API",
            "Model gpt-4o-mini is available"
        ]
    );
    assert_eq!(calls(&server).await, ["GET /v1/models/gpt-4o-mini"]);
    let requests = server.received_requests().await.unwrap();
    let sent = |name: &str| {
        requests[0]
            .headers
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(sent("authorization"), format!("Bearer {KEY}"));
    assert!(requests[0].headers.get("openai-organization").is_none());
}

#[tokio::test]
async fn two_models_are_two_calls_and_the_second_once_is_enough() {
    let server = answering(model(MODEL)).await;
    on(&server, "GET", "/v1/models/embed", model("embed")).await;
    let check = check_of(&server)
        .embedding_model("embed")
        .model("embed")
        .model(MODEL);
    let outcome = once(&check).await;
    assert_passed(&outcome);
    assert_eq!(texts(&outcome)[2], "Model embed is available");
    assert_eq!(
        calls(&server).await,
        ["GET /v1/models/gpt-4o-mini", "GET /v1/models/embed"]
    );
}

#[tokio::test]
async fn many_models_are_two_calls() {
    let server = answering(model(MODEL)).await;
    on(&server, "GET", "/v1/models", list(&["a", "b", "c", MODEL])).await;
    let check = check_of(&server).model("a").model("b").model("c");
    let outcome = once(&check).await;
    assert_passed(&outcome);
    assert_eq!(outcome.findings().len(), 5);
    assert_eq!(
        calls(&server).await,
        ["GET /v1/models/gpt-4o-mini", "GET /v1/models"]
    );
    assert_eq!(
        outcome.observed_value("models_listed"),
        Some(&PublicValue::Int(4))
    );
}

#[tokio::test]
async fn a_server_with_only_the_list_proves_models_but_no_key() {
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&[MODEL, "embed"])).await;
    let outcome = verified(&check_of(&server).model("embed")).await;
    assert_eq!(
        texts(&outcome),
        [
            "API key not refused by the OpenAI-compatible API",
            "Model gpt-4o-mini is available",
            "Model embed is available"
        ]
    );
}

/// Many versions of llama.cpp show the list to anyone, and refuse a wrong key on other paths.
#[tokio::test]
async fn a_public_list_hides_no_wrong_key() {
    let refused = json(
        401,
        r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
    );
    let server = answering(refused).await;
    on(&server, "GET", "/v1/models", list(&[MODEL, "embed", "c"])).await;
    let check = check_of(&server).model("embed").model("c");
    assert_permanent(&verified(&check).await, codes::AUTH_FAILED);
}

#[tokio::test]
async fn a_missing_model_is_named_with_those_nearest_to_it() {
    let missing = json(
        404,
        r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#,
    );
    let server = answering(missing).await;
    let others = [
        "tts-1",
        "gpt-4o",
        "whisper-1",
        "gpt-4o-mini-2024",
        "ft:gpt-4o-mini:acme:x",
        "dall-e-3",
        "babbage",
    ];
    on(&server, "GET", "/v1/models", list(&others)).await;
    let outcome = verified(&check_of(&server)).await;
    assert_permanent(&outcome, codes::MODEL_MISSING);
    assert!(
        outcome.text().as_str().contains("gpt-4o-mini"),
        "{outcome:?}"
    );
    let remedy = remedy(&outcome);
    assert!(
        remedy.contains("such as gpt-4o-mini-2024, gpt-4o, "),
        "{remedy}"
    );
    assert!(
        !remedy.contains("acme") && remedy.matches(", ").count() == 5,
        "{remedy}"
    );
    assert_eq!(
        texts(&outcome)[0],
        "API key accepted by the OpenAI-compatible API"
    );
}

#[tokio::test]
async fn a_missing_model_does_not_hide_another() {
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&["x"])).await;
    let outcome = verified(&check_of(&server).embedding_model("embed")).await;
    assert_permanent(&outcome, codes::MODEL_MISSING);
    let told = texts(&outcome).join("\n");
    assert!(
        told.contains("gpt-4o-mini does not") && told.contains("embed does not"),
        "{told}"
    );
}

#[tokio::test]
async fn a_missing_model_is_told_where_the_list_is_forbidden() {
    let missing = json(
        404,
        r#"{"error":{"message":"no","code":"model_not_found"}}"#,
    );
    let server = answering(missing).await;
    on(&server, "GET", "/v1/models", json(403, "{}")).await;
    let outcome = verified(&check_of(&server)).await;
    assert_permanent(&outcome, codes::MODEL_MISSING);
}

#[tokio::test]
async fn an_alias_that_the_list_does_not_hold_is_found_by_its_own_path() {
    let server = answering(model(MODEL)).await;
    on(&server, "GET", "/v1/models", list(&["a"])).await;
    on(&server, "GET", "/v1/models/latest", model("b-2026-01-01")).await;
    let outcome = verified(&check_of(&server).model("a").model("latest")).await;
    assert_passed(&outcome);
    assert_eq!(
        texts(&outcome)[3],
        "Model latest is available as b-2026-01-01"
    );
}

#[tokio::test]
async fn a_server_without_models_is_told_from_one_without_the_api() {
    let server = MockServer::start().await;
    on(
        &server,
        "GET",
        "/v1/models",
        json(200, r#"{"object":"list","data":null}"#),
    )
    .await;
    assert_permanent(&verified(&check_of(&server)).await, codes::MODEL_MISSING);
    let server = MockServer::start().await;
    let outcome = verified(&check_of(&server)).await;
    assert_permanent(&outcome, codes::ENDPOINT_MISSING);
    assert!(remedy(&outcome).contains("/v1"));
}

#[tokio::test]
async fn what_was_seen_is_observed() {
    let headers = [
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-remaining-tokens", "39990"),
    ];
    let mut response = model(MODEL);
    for (name, value) in headers {
        response = response.insert_header(name, value);
    }
    let server = answering(response).await;
    let outcome = verified(&check_of(&server)).await;
    let value = |name| outcome.observed_value(name).cloned();
    assert_eq!(value("api_key_set"), Some(PublicValue::Bool(true)));
    assert_eq!(
        value("rate_limit_remaining_requests"),
        Some(PublicValue::Int(4999))
    );
    assert_eq!(
        value("rate_limit_remaining_tokens"),
        Some(PublicValue::Int(39990))
    );
    let Some(PublicValue::Float(ms)) = value("response_time_ms") else {
        panic!("{outcome:?}")
    };
    assert!(ms > 0.0 && ms < 5000.0, "{ms}");
}

#[tokio::test]
async fn without_a_key_none_is_said_to_be_accepted() {
    let server = answering(model(MODEL)).await;
    let options = EndpointOptions::new("").base_url(format!("{}/v1/", server.uri()));
    let outcome = verified(&LlmCheck::new(&options.build().unwrap(), MODEL)).await;
    assert_eq!(
        texts(&outcome)[0],
        "The OpenAI-compatible API answers without a key"
    );
    let set = outcome.observed_value("api_key_set");
    assert_eq!(set, Some(&PublicValue::Bool(false)));
}

/// A probe that is billed must never run as often as others do (BerriAI/litellm#7000).
#[tokio::test]
async fn what_is_billed_runs_once_a_minute_at_most_and_what_is_free_more_often() {
    let server = answering(model(MODEL)).await;
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let free = check_of(&server).name("openai.chat");
    assert_eq!(free.meta().get_cost(), Cost::Network);
    assert_eq!(free.meta().effective_period(), Duration::from_secs(15));
    assert_eq!(free.meta().get_timeout(), Duration::from_secs(3));
    assert_eq!(free.meta().name(), "openai.chat");
    assert_passed(&once(&free).await);
    let completes_nothing = calls(&server).await;
    assert!(
        completes_nothing
            .iter()
            .all(|call| call.starts_with("GET "))
    );

    let hasty = || check_of(&server).period(second);
    assert_eq!(hasty().meta().effective_period(), second);
    for billed in [
        hasty().completion_probe(true),
        hasty().embedding_probe("embed", None),
        hasty().completion_probe(true).name("openai.chat"),
    ] {
        assert_eq!(billed.meta().get_cost(), Cost::Metered);
        assert_eq!(billed.meta().effective_period(), minute);
    }
    let taken_back = hasty().completion_probe(true).completion_probe(false);
    assert_eq!(taken_back.meta().effective_period(), second);
}

#[tokio::test]
async fn organisation_and_project_are_sent() {
    let server = answering(model(MODEL)).await;
    let options = options(&format!("{}/v1", server.uri()))
        .organization("org-1")
        .project("proj-2");
    assert_passed(&once(&LlmCheck::new(&options.build().unwrap(), MODEL)).await);
    let requests = server.received_requests().await.unwrap();
    let sent = |name: &str| requests[0].headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(sent("openai-organization"), "org-1");
    assert_eq!(sent("openai-project"), "proj-2");
}
