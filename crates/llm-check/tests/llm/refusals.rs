//! Every status that says no.

use std::time::SystemTime;

use tria_llm_check::codes;

use super::*;

fn error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    json(
        status,
        &format!(r#"{{"error":{{"message":"{message}","type":"x","param":null,"code":{code}}}}}"#),
    )
}

async fn outcome_of(response: ResponseTemplate) -> Outcome {
    let server = answering(response).await;
    verified(&check_of(&server)).await
}

#[tokio::test]
async fn a_wrong_key_is_told_whatever_the_body_is() {
    for response in [
        error(401, r#""invalid_api_key""#, "Incorrect API key provided"),
        error(401, "401", "Invalid API Key"),
        ResponseTemplate::new(401),
        ResponseTemplate::new(401).set_body_raw("<html>401</html>", "text/html"),
        json(
            400,
            r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
        ),
    ] {
        let outcome = outcome_of(response).await;
        assert_permanent(&outcome, codes::AUTH_FAILED);
        assert!(remedy(&outcome).contains("OPENAI_API_KEY"));
    }
}

#[tokio::test]
async fn a_region_or_project_is_no_wrong_key() {
    let region = error(
        403,
        r#""unsupported_country_region_territory""#,
        "Country not supported",
    );
    let outcome = outcome_of(region).await;
    assert_permanent(&outcome, codes::FORBIDDEN);
    assert!(remedy(&outcome).contains("region"));
    assert!(
        detail(&outcome).contains("unsupported_country"),
        "{}",
        detail(&outcome)
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_it_asks() {
    let limited = || error(429, r#""rate_limit_exceeded""#, "Rate limit reached");
    assert_transient(&outcome_of(limited()).await, codes::RATE_LIMITED, None);
    for (name, value, wait) in [
        ("retry-after", "7", Duration::from_secs(7)),
        ("retry-after-ms", "250", Duration::from_millis(250)),
        (
            "x-ratelimit-reset-requests",
            "1m3s",
            Duration::from_secs(63),
        ),
    ] {
        let outcome = outcome_of(limited().insert_header(name, value)).await;
        assert_transient(&outcome, codes::RATE_LIMITED, Some(wait));
    }
}

#[tokio::test]
async fn a_date_to_come_back_at_is_understood() {
    let at = SystemTime::now() + Duration::from_secs(120);
    let limited =
        json(429, "{}").insert_header("retry-after", httpdate::fmt_http_date(at).as_str());
    let outcome = outcome_of(limited).await;
    let Retry::Transient(Some(wait)) = outcome.retry() else {
        panic!("{outcome:?}")
    };
    assert!((90..=120).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn a_spent_quota_is_not_waited_for() {
    let message = "You exceeded your current quota";
    let spent = error(429, r#""insufficient_quota""#, message).insert_header("retry-after", "1");
    let outcome = outcome_of(spent).await;
    assert_permanent(&outcome, codes::INSUFFICIENT_QUOTA);
    let typed = json(
        429,
        r#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#,
    );
    assert_permanent(&outcome_of(typed).await, codes::INSUFFICIENT_QUOTA);
    let balance = error(402, "402", "Insufficient Balance");
    assert_permanent(&outcome_of(balance).await, codes::INSUFFICIENT_QUOTA);
}

#[tokio::test]
async fn an_error_of_the_server_is_waited_for() {
    for status in [500, 502, 504, 520] {
        let html = ResponseTemplate::new(status).set_body_raw("<html>oops</html>", "text/html");
        assert_transient(&outcome_of(html).await, codes::SERVER_ERROR, None);
    }
    let loading = error(503, "503", "Loading model").insert_header("retry-after", "3");
    let outcome = outcome_of(loading).await;
    assert_transient(&outcome, codes::SERVER_ERROR, Some(Duration::from_secs(3)));
    assert!(detail(&outcome).contains("Loading model"));
}

#[tokio::test]
async fn another_refusal_is_told_with_its_detail() {
    let outcome = outcome_of(error(422, "422", "no such header")).await;
    assert_permanent(&outcome, codes::REQUEST_REFUSED);
    assert!(detail(&outcome).contains("no such header"));
}

#[tokio::test]
async fn a_404_of_the_list_as_well_is_a_wrong_base_url() {
    for status in [404, 405, 501] {
        let server = answering(error(status, "404", "File Not Found")).await;
        on(&server, "GET", "/v1/models", ResponseTemplate::new(status)).await;
        let outcome = verified(&check_of(&server)).await;
        assert_permanent(&outcome, codes::ENDPOINT_MISSING);
    }
}

#[tokio::test]
async fn what_stops_the_list_stops_the_check() {
    let server = MockServer::start().await;
    on(
        &server,
        "GET",
        "/v1/models",
        json(429, "{}").insert_header("retry-after", "4"),
    )
    .await;
    let outcome = verified(&check_of(&server)).await;
    assert_transient(&outcome, codes::RATE_LIMITED, Some(Duration::from_secs(4)));
}

/// The key must not travel to where a redirect points.
#[tokio::test]
async fn a_redirect_is_refused() {
    let elsewhere = answering(model(MODEL)).await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}/v1/models/{MODEL}", elsewhere.uri());
        let moved = ResponseTemplate::new(status).insert_header("location", to.as_str());
        let outcome = outcome_of(moved).await;
        assert_permanent(&outcome, codes::REDIRECT_REFUSED);
        assert!(
            detail(&outcome).contains(&elsewhere.uri()),
            "{}",
            detail(&outcome)
        );
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_such_api_is_named() {
    for (body, kind) in [
        (
            "<!doctype html><title>Sign in</title>",
            "text/html; charset=utf-8",
        ),
        ("", "application/json"),
        ("{}", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        (r#"{"status":"ok"}"#, "application/json"),
        (r#"{"id":7}"#, "application/json"),
        ("{\"id\":\"gpt", "application/json"),
        ("\u{0}\u{1}", "application/octet-stream"),
    ] {
        let response = ResponseTemplate::new(200).set_body_raw(body, kind);
        let outcome = outcome_of(response).await;
        assert_permanent(&outcome, codes::NOT_OPENAI_API);
        assert_eq!(
            outcome.text().as_str().contains("web page"),
            kind.contains("html"),
            "{body}"
        );
    }
    let empty = outcome_of(ResponseTemplate::new(204)).await;
    assert_permanent(&empty, codes::NOT_OPENAI_API);
}
