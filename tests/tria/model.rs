//! The model API, stopped and broken.

use std::time::Duration;

use serde_json::json;
use tria_tests::{ClosedPort, Fixture};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const SECOND: Duration = Duration::from_secs(1);

/// A service whose model API answers everything with `answer`.
async fn answering(answer: ResponseTemplate) -> (Fixture, MockServer) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let mut fixture = Fixture::migrated().await;
    fixture.set("OPENAI_BASE_URL", format!("{}/v1", server.uri()));
    (fixture, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    fixture.set("OPENAI_BASE_URL", port.url("/v1"));
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["openai:", "[connect_refused]", "remedy:"]);
    assert!(
        ended.elapsed >= 2 * SECOND,
        "it did not wait until the deadline"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_real_server_refuses() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("OPENAI_API_KEY", "sk-wrong-Hj4kL9mN2pQ7");
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["openai:", "[auth_failed]", "OPENAI_API_KEY"]);
    ended.within(SECOND);
    assert!(!ended.text().contains("Hj4kL9mN2pQ7"), "{}", ended.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_the_real_server_does_not_have() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("OPENAI_MODEL", "gpt-nowhere");
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["openai:", "[model_missing]", "gpt-nowhere"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quota_used_up() {
    let body = json!({"error": {"message": "You exceeded your current quota.",
        "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}});
    let (fixture, _server) = answering(ResponseTemplate::new(429).set_body_json(body)).await;
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["openai:", "[insufficient_quota]", "remedy:"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging() {
    let answer = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let (mut fixture, _server) = answering(answer).await;
    // Longer than the check waits, which then says what it waited for.
    fixture.set("STARTUP_DEADLINE", "4s");
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["openai:", "[response_timeout]", "remedy:"]);
    ended.within(8 * SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn html() {
    let answer = ResponseTemplate::new(200)
        .set_body_raw("<!doctype html><title>Welcome</title>", "text/html");
    let (fixture, _server) = answering(answer).await;
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["openai:", "[not_openai_api]", "OPENAI_BASE_URL"]);
    ended.within(SECOND);
}
