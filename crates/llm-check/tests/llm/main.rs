//! The check against a real model server, and against everything that can go wrong with one.
#![allow(missing_docs, clippy::unwrap_used)]

mod environment;
mod faults;
mod healing;
mod login;
mod model_server;
mod probes;
mod proof;
mod raw_server;
mod refusals;
mod secrets;
mod tls;

use std::time::Duration;

use tria_check::{Check, Code, Outcome, Retry, Status, conformance::Kit};
use tria_llm_check::{Endpoint, EndpointOptions, LlmCheck};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// Planted in every check here; every outcome is searched for it.
const KEY: &str = "sk-planted-0123456789abcdefghijklmnop";
const MODEL: &str = "gpt-4o-mini";

fn options(base: &str) -> EndpointOptions {
    EndpointOptions::new(KEY).base_url(base)
}

fn endpoint(base: &str) -> Endpoint {
    options(base).build().unwrap()
}

fn check_of(server: &MockServer) -> LlmCheck {
    LlmCheck::new(&endpoint(&format!("{}/v1", server.uri())), MODEL)
}

/// Runs the check through the conformance kit, and gives what it found.
async fn verified(check: &LlmCheck) -> Outcome {
    Kit::new().secret(KEY).verify(check).await.unwrap()
}

/// One run, without more ado.
async fn once(check: &impl Check) -> Outcome {
    let deadline = tokio::time::Instant::now() + check.meta().get_timeout();
    let cancel = tokio_util::sync::CancellationToken::new();
    let cx = tria_check::CheckContext::new(deadline, cancel, tria_check::Phase::Starting);
    check.check(&cx).await
}

/// A server that answers every `GET /v1/models/{MODEL}` so.
async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    on(&server, "GET", &format!("/v1/models/{MODEL}"), response).await;
    server
}

async fn on(server: &MockServer, verb: &str, at: &str, response: ResponseTemplate) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(response)
        .mount(server)
        .await;
}

fn json(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json")
}

fn model(id: &str) -> ResponseTemplate {
    json(
        200,
        &format!(r#"{{"id":"{id}","object":"model","created":1,"owned_by":"x"}}"#),
    )
}

fn list(ids: &[&str]) -> ResponseTemplate {
    let models = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","object":"model"}}"#));
    let models = models.collect::<Vec<_>>().join(",");
    json(200, &format!(r#"{{"object":"list","data":[{models}]}}"#))
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    let findings = outcome.findings().iter();
    findings.map(|finding| finding.text().as_str()).collect()
}

fn detail(outcome: &Outcome) -> &str {
    outcome
        .decisive()
        .get_detail()
        .map_or("", |detail| detail.expose())
}

fn remedy(outcome: &Outcome) -> &str {
    outcome
        .decisive()
        .get_remedy()
        .map_or("", |remedy| remedy.as_str())
}

#[track_caller]
fn assert_permanent(outcome: &Outcome, code: Code) {
    assert_failed(outcome, code, Retry::Permanent);
}

#[track_caller]
fn assert_transient(outcome: &Outcome, code: Code, after: Option<Duration>) {
    assert_failed(outcome, code, Retry::Transient(after));
}

#[track_caller]
fn assert_failed(outcome: &Outcome, code: Code, retry: Retry) {
    let found = (outcome.status(), outcome.code(), outcome.retry());
    assert_eq!(
        found,
        (Status::Fail, code, retry),
        "{outcome:?} {}",
        detail(outcome)
    );
}

#[track_caller]
fn assert_passed(outcome: &Outcome) {
    assert_eq!(
        outcome.status(),
        Status::Pass,
        "{outcome:?} {}",
        detail(outcome)
    );
}
