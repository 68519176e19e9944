//! What the environment must not change. Each test runs itself again in a process with an
//! environment of its own.

use std::process::Command;

use tria_llm_check::codes;

use super::*;

const PROXIED: &str = "http://models.invalid/v1";

async fn again(test: &str, environment: &[(&str, &str)]) {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(environment.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

#[tokio::test]
async fn async_openais_own_keys_are_not_read() {
    let environment = [
        ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"),
        ("OPENAI_API_KEY", "sk-of-the-environment"),
        ("OPENAI_ORG_ID", "org-of-the-environment"),
        ("OPENAI_PROJECT_ID", "project-of-the-environment"),
    ];
    again("environment::with_openai_keys", &environment).await;
}

#[tokio::test]
#[ignore = "run by async_openais_own_keys_are_not_read"]
async fn with_openai_keys() {
    let server = answering(model(MODEL)).await;
    assert_passed(&verified(&check_of(&server)).await);
    for request in server.received_requests().await.unwrap() {
        let shown = format!("{:?}", request.headers);
        assert!(!shown.contains("environment"), "{shown}");
    }
}

#[tokio::test]
async fn a_proxy_is_used_only_where_it_is_asked_for() {
    let proxy = answering(model(MODEL)).await;
    again("environment::with_a_proxy", &[("http_proxy", &proxy.uri())]).await;
    let requests = proxy.received_requests().await.unwrap();
    assert!(!requests.is_empty());
}

#[tokio::test]
#[ignore = "run by a_proxy_is_used_only_where_it_is_asked_for"]
async fn with_a_proxy() {
    let direct = LlmCheck::new(&endpoint(PROXIED), MODEL);
    assert_transient(&verified(&direct).await, codes::DNS_FAILED, None);
    let proxied = options(PROXIED).environment_proxy(true).build().unwrap();
    assert_passed(&verified(&LlmCheck::new(&proxied, MODEL)).await);
    let here = answering(model("here")).await;
    let base = format!("{}/v1", here.uri());
    let loopback = options(&base).environment_proxy(true).build().unwrap();
    let outcome = verified(&LlmCheck::new(&loopback, MODEL)).await;
    assert_eq!(texts(&outcome)[1], "Model gpt-4o-mini is available as here");
}
