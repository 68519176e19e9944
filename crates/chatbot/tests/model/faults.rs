//! What a server may answer instead of an answer.

use std::{collections::HashMap, error::Error, time::SystemTime};

use tria_chatbot::{OutOfTime, model::FailureKind};
use wiremock::matchers::any;

use super::{scripted::Scripted, *};

/// Asks a server that answers so; tells the error, the requests, and what counts as a failure.
async fn refused(response: ResponseTemplate) -> (ModelError, usize, Option<FailureKind>) {
    let server = answering(response).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 2,
            ..options()
        },
    );
    let error = asked(&model).await.unwrap_err();
    let chat = model.breaker().chat;
    let requests = requests(&server).await;
    assert_eq!(chat.calls_total, requests as u64);
    let failed = chat.failures.iter().find(|(_, count)| *count > 0);
    (error, requests, failed.map(|(kind, _)| kind))
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_once() {
    let llama = json!({"error": {"code": 401, "message": "Invalid API Key", "type": "x"}});
    let openai = json!({"error": {"code": "context_length_exceeded", "message": "m"}});
    for (status, body, counted) in [
        (401, &llama, Some(FailureKind::Unauthorized)),
        (400, &openai, None),
        (403, &Value::Null, None),
        (404, &json!("File Not Found"), None),
        (422, &json!({"detail": []}), None),
    ] {
        let (error, requests, failed) = refused(with(status, body)).await;
        assert!(
            matches!(error, ModelError::Refused { status: found } if found == status),
            "{error:?}"
        );
        assert!(!error.is_transient());
        assert_eq!((requests, failed), (1, counted), "{status}");
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_no_rate_limit() {
    let quota = json!({"error": {"message": "m", "type": "insufficient_quota", "code": null}});
    let response = with(429, &quota).insert_header("retry-after", "1");
    let (error, requests, failed) = refused(response).await;
    assert!(matches!(error, ModelError::Quota) && !error.is_transient());
    assert_eq!((requests, failed), (1, Some(FailureKind::Quota)));
}

#[tokio::test]
async fn a_rate_limit_that_passes_in_time_is_waited_for() {
    let server = answering(says("three")).await;
    let busy = with(
        429,
        &json!({"error": {"message": "m", "code": "rate_limit_exceeded"}}),
    );
    once(&server, CHAT, busy.insert_header("retry-after", "0")).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 1,
            ..options()
        },
    );
    assert_eq!(asked(&model).await.unwrap(), "three");
    let chat = model.breaker().chat;
    assert_eq!((chat.calls_total, chat.consecutive_failures), (2, 0));
    assert_eq!(chat.failures.of(FailureKind::Busy), 1);
}

#[tokio::test]
async fn a_rate_limit_beyond_the_budget_is_told_at_once() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(300));
    for after in ["300", &date] {
        let response = with(429, &Value::Null).insert_header("retry-after", after);
        let (error, requests, failed) = refused(response).await;
        assert!(matches!(error, ModelError::Busy { .. }) && error.is_transient());
        let wait = error.retry_after().unwrap();
        assert!(
            wait > Duration::from_secs(60) && wait <= Duration::from_secs(300),
            "{wait:?}"
        );
        assert_eq!((requests, failed), (1, Some(FailureKind::Busy)));
    }
}

#[tokio::test]
async fn an_error_of_the_server_is_tried_again() {
    let server = answering(says("three")).await;
    once(&server, CHAT, with(500, &json!("oops"))).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 2,
            ..options()
        },
    );
    assert_eq!(asked(&model).await.unwrap(), "three");
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn an_error_of_the_server_that_stays_is_told_after_two_repetitions() {
    let (error, requests, failed) = refused(with(503, &Value::Null)).await;
    assert!(matches!(error, ModelError::Unavailable { cause: None, .. }));
    assert!(error.is_transient() && error.source().is_none());
    assert_eq!((requests, failed), (3, Some(FailureKind::Unavailable)));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_too() {
    let model = at(
        "http://127.0.0.1:1/v1",
        ModelOptions {
            most_retries: 2,
            ..options()
        },
    );
    let error = asked(&model).await.unwrap_err();
    assert!(matches!(
        error,
        ModelError::Unavailable { cause: Some(_), .. }
    ));
    assert_eq!(model.breaker().chat.calls_total, 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = answering(says("three")).await;
    let to_other = ResponseTemplate::new(307).insert_header("location", other.uri());
    let (error, requests, _) = refused(to_other).await;
    assert!(matches!(error, ModelError::Refused { status: 307 }));
    assert_eq!(requests, 1);
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time() {
    // Long enough for the request to arrive on a busy machine.
    let short = Duration::from_secs(1);
    for (limit, budget, ended) in [
        (short, HOUR, OutOfTime::Limit),
        (HOUR, short, OutOfTime::Budget),
    ] {
        let mut server = Scripted::start().await;
        let model = at(
            &server.base_url(),
            ModelOptions {
                complete_limit: limit,
                most_retries: 2,
                ..options()
            },
        );
        let prompt = prompt();
        let asked = model.complete(&prompt, Budget::of(budget));
        let (answer, request) = tokio::join!(asked, server.next());
        let error = answer.unwrap_err();
        assert!(
            matches!(error, ModelError::OutOfTime(which) if which == ended),
            "{error:?}"
        );
        request.left().await;
        assert!(server.is_idle(), "it was asked again");
        let timed_out = model.breaker().chat.failures.of(FailureKind::TimedOut);
        assert_eq!(timed_out, u64::from(ended == OutOfTime::Limit));
    }
}

#[tokio::test]
async fn what_is_no_answer_of_such_an_api_is_told_and_counted() {
    let long = "x".repeat(9 * 1024 * 1024);
    for response in [
        ResponseTemplate::new(200).set_body_raw("<html>login</html>", "text/html"),
        ResponseTemplate::new(200),
        with(200, &json!({})),
        with(200, &json!({"choices": []})),
        says(&long),
    ] {
        let (error, requests, failed) = refused(response).await;
        assert!(matches!(error, ModelError::Malformed), "{error:?}");
        assert_eq!((requests, failed), (1, Some(FailureKind::Malformed)));
    }
}

#[tokio::test]
async fn a_model_that_says_nothing_or_will_not_say_it_is_no_failure_of_the_api() {
    let (error, requests, failed) = refused(says(" ")).await;
    assert!(matches!(error, ModelError::Malformed));
    assert_eq!((requests, failed), (1, None));
    let refusal = json!({"choices": [{"message": {"content": null, "refusal": "No."}}]});
    for response in [
        with(200, &answer("", "content_filter")),
        with(200, &refusal),
    ] {
        let (error, requests, failed) = refused(response).await;
        assert!(matches!(error, ModelError::Withheld), "{error:?}");
        assert_eq!((requests, failed), (1, None));
    }
}

#[tokio::test]
async fn an_answer_beside_the_schema_is_told_and_is_no_failure_of_the_api() {
    for said in ["not JSON", r#"{"quantity": "many"}"#, r#"{"quantity": 1"#] {
        let server = answering(says(said)).await;
        let model = of(&server, options());
        let prompt = prompt();
        let asked = model.structured::<HashMap<String, u32>>(&prompt, plenty());
        assert!(matches!(asked.await, Err(ModelError::Malformed)), "{said}");
        assert_eq!(model.breaker().chat.failures_total, 0);
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn the_request_says_what_was_meant() {
    let server = MockServer::start().await;
    Mock::given(any())
        .and(path(CHAT))
        .and(wiremock::matchers::header(
            "authorization",
            &*format!("Bearer {KEY}"),
        ))
        .respond_with(says(r#"{"n":1}"#))
        .mount(&server)
        .await;
    let model = of(&server, options());
    let prompt = Prompt::new("system")
        .user("one")
        .turn(tria_chatbot::model::Role::Assistant, "two")
        .user("three")
        .most_tokens(7)
        .schema("number", json!({"type": "object"}));
    let _: Value = model.structured(&prompt, plenty()).await.unwrap();
    let received = server.received_requests().await.unwrap();
    let sent: Value = received[0].body_json().unwrap();
    assert_eq!(
        sent,
        json!({
            "model": "chat-model",
            "messages": [
                {"role": "system", "content": "system"},
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "two"},
                {"role": "user", "content": "three"},
            ],
            "temperature": 0.0,
            "max_tokens": 7,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "number", "schema": {"type": "object"}, "strict": true},
            },
        })
    );
}
