//! The circuits as callers and operators meet them.

use futures_util::{StreamExt, future::join_all};
use tria_chatbot::model::{CircuitState, FailureKind};

use super::{scripted::Scripted, *};

fn fragile(open_for: Duration) -> ModelOptions {
    ModelOptions {
        failures_to_open: 2,
        open_for,
        ..options()
    }
}

fn is_open(error: &ModelError) -> bool {
    matches!(error, ModelError::Open { .. })
}

#[tokio::test]
async fn after_failures_in_a_row_nothing_is_sent() {
    let server = answering(with(500, &Value::Null)).await;
    let model = of(&server, fragile(HOUR));
    for _ in 0..2 {
        assert!(!is_open(&asked(&model).await.unwrap_err()));
    }
    for _ in 0..3 {
        let error = asked(&model).await.unwrap_err();
        assert!(is_open(&error) && error.is_transient());
        assert!(error.retry_after().unwrap() > HOUR / 2);
        let streamed = Box::pin(model.stream(&prompt(), plenty())).next().await;
        assert!(is_open(&streamed.unwrap().unwrap_err()));
    }
    assert_eq!(requests(&server).await, 2);
    let chat = model.breaker().chat;
    assert_eq!((chat.calls_total, chat.shed_total), (2, 6));
}

#[tokio::test]
async fn embeddings_and_completions_fail_apart_and_the_worse_of_them_shows() {
    let server = answering(says("three")).await;
    let model = of(&server, fragile(HOUR));
    for _ in 0..2 {
        once(&server, EMBEDDINGS, with(503, &Value::Null)).await;
        model.embed(&["a"], plenty()).await.unwrap_err();
        asked(&model).await.unwrap();
    }
    let reading = model.breaker();
    assert_eq!(reading.state, CircuitState::Open);
    assert_eq!(reading.embeddings.state, CircuitState::Open);
    assert_eq!(reading.chat.state, CircuitState::Closed);
    assert_eq!(
        reading.retry_after.is_some(),
        reading.embeddings.retry_after.is_some()
    );
    asked(&model).await.unwrap();
    assert!(is_open(&model.embed(&["a"], plenty()).await.unwrap_err()));
}

#[tokio::test]
async fn a_reading_can_be_written() {
    let server = answering(with(429, &Value::Null)).await;
    let model = of(&server, fragile(HOUR));
    for _ in 0..2 {
        asked(&model).await.unwrap_err();
    }
    let mut written = json!(model.breaker());
    let chat = written["chat"].as_object_mut().unwrap();
    for time in ["opened_since_ms", "retry_after_ms"] {
        assert!(chat.remove(time).unwrap().as_u64().unwrap() <= 2 * 3_600_000);
    }
    assert!(written["retry_after_ms"].is_u64());
    assert_eq!(written["state"], "open");
    assert_eq!(written["embeddings"]["state"], "closed");
    assert_eq!(written["embeddings"]["opened_since_ms"], Value::Null);
    assert_eq!(
        written["chat"],
        json!({
            "state": "open",
            "consecutive_failures": 2,
            "opened_total": 1,
            "calls_total": 2,
            "shed_total": 0,
            "failures_total": 2,
            "failures": {
                "unavailable": 0, "timed_out": 0, "busy": 2, "quota": 0,
                "unauthorized": 0, "malformed": 0, "cut": 0,
            },
        })
    );
}

#[tokio::test]
async fn repetitions_count_and_end_when_it_opens() {
    let server = answering(with(500, &Value::Null)).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 5,
            ..fragile(HOUR)
        },
    );
    let error = asked(&model).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }));
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn a_key_that_is_refused_opens_it_and_requests_that_are_refused_do_not() {
    for (status, state) in [(400, CircuitState::Closed), (401, CircuitState::Open)] {
        let server = answering(with(status, &Value::Null)).await;
        let model = of(&server, fragile(HOUR));
        for _ in 0..4 {
            asked(&model).await.unwrap_err();
        }
        assert_eq!(model.breaker().chat.state, state);
    }
}

/// A model whose circuit has just opened, and may be probed.
async fn opened(server: &mut Scripted) -> Model {
    let model = at(&server.base_url(), fragile(Duration::ZERO));
    for _ in 0..2 {
        let failing = async { server.next().await.json(500, &Value::Null).await };
        let (answer, ()) = tokio::join!(asked(&model), failing);
        answer.unwrap_err();
    }
    assert_eq!(model.breaker().chat.state, CircuitState::Open);
    model
}

async fn answered(model: &Model, server: &mut Scripted) {
    let serving = async {
        server
            .next()
            .await
            .json(200, &answer("three", "stop"))
            .await;
    };
    let (answer, ()) = tokio::join!(asked(model), serving);
    assert_eq!(answer.unwrap(), "three");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_the_probe_and_the_rest_are_not_sent() {
    let mut server = Scripted::start().await;
    let model = opened(&mut server).await;
    let (done, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    let callers = (0..16).map(|_| {
        let (model, done) = (model.clone(), done.clone());
        tokio::spawn(async move { done.send(asked(&model).await).unwrap() })
    });
    let callers: Vec<_> = callers.collect();
    for _ in 0..15 {
        let shed = outcomes.recv().await.unwrap();
        assert!(is_open(&shed.unwrap_err()));
    }
    let probe = server.next().await;
    assert_eq!(model.breaker().chat.state, CircuitState::HalfOpen);
    probe.json(200, &answer("three", "stop")).await;
    assert_eq!(outcomes.recv().await.unwrap().unwrap(), "three");
    assert!(server.is_idle());
    join_all(callers).await;
    let chat = model.breaker().chat;
    assert_eq!(chat.state, CircuitState::Closed);
    assert_eq!((chat.calls_total, chat.shed_total), (3, 15));
    answered(&model, &mut server).await;
}

#[tokio::test]
async fn a_probe_that_fails_sends_the_next_one_only_after_the_rest() {
    let mut server = Scripted::start().await;
    let model = at(&server.base_url(), fragile(Duration::from_millis(50)));
    let mut retry_after = Duration::ZERO;
    // Two open it, and the third is the probe.
    for _ in 0..3 {
        tokio::time::sleep(retry_after).await;
        let failing = async { server.next().await.json(500, &Value::Null).await };
        let (answer, ()) = tokio::join!(asked(&model), failing);
        answer.unwrap_err();
        retry_after = model.breaker().retry_after.unwrap_or_default();
    }
    assert!(!retry_after.is_zero());
    let chat = model.breaker().chat;
    assert_eq!((chat.state, chat.opened_total), (CircuitState::Open, 1));
    tokio::time::sleep(retry_after).await;
    answered(&model, &mut server).await;
    assert_eq!(model.breaker().chat.state, CircuitState::Closed);
}

#[tokio::test]
async fn a_probe_whose_caller_leaves_does_not_wedge_it() {
    let mut server = Scripted::start().await;
    let model = opened(&mut server).await;
    for _ in 0..3 {
        let caller = tokio::spawn({
            let model = model.clone();
            async move { asked(&model).await }
        });
        let probe = server.next().await;
        assert!(is_open(&asked(&model).await.unwrap_err()));
        caller.abort();
        probe.left().await;
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    answered(&model, &mut server).await;
    assert_eq!(model.breaker().chat.state, CircuitState::Closed);
}

#[tokio::test]
async fn a_probe_whose_time_was_short_does_not_wedge_it_and_says_nothing() {
    let mut server = Scripted::start().await;
    let model = opened(&mut server).await;
    let prompt = prompt();
    let hasty = model.complete(&prompt, Budget::of(Duration::from_secs(1)));
    let (answer, request) = tokio::join!(hasty, server.next());
    assert!(matches!(answer, Err(ModelError::OutOfTime(_))));
    request.left().await;
    assert_eq!(model.breaker().chat.state, CircuitState::HalfOpen);
    answered(&model, &mut server).await;
    assert_eq!(model.breaker().chat.state, CircuitState::Closed);
}

#[tokio::test]
async fn a_stream_as_the_probe_holds_nobody_up_once_it_speaks() {
    let mut server = Scripted::start().await;
    let model = opened(&mut server).await;
    let mut stream = Box::pin(model.stream(&prompt(), plenty()));
    let speaking = async {
        let mut request = server.next().await;
        request.stream().await;
        request.piece("th").await;
        request
    };
    let (piece, request) = tokio::join!(stream.next(), speaking);
    assert_eq!(piece.unwrap().unwrap(), "th");
    answered(&model, &mut server).await;
    assert_eq!(model.breaker().chat.state, CircuitState::Closed);
    drop((request, stream));
}

#[tokio::test]
async fn streams_that_break_off_again_and_again_open_it() {
    let mut server = Scripted::start().await;
    let model = at(&server.base_url(), fragile(HOUR));
    for _ in 0..2 {
        let mut stream = Box::pin(model.stream(&prompt(), plenty()));
        let cutting = async {
            let mut request = server.next().await;
            request.stream().await;
            request.piece("th").await;
        };
        let (piece, ()) = tokio::join!(stream.next(), cutting);
        assert_eq!(piece.unwrap().unwrap(), "th");
        assert!(matches!(stream.next().await, Some(Err(ModelError::Cut(_)))));
    }
    let chat = model.breaker().chat;
    assert_eq!(
        (chat.state, chat.failures.of(FailureKind::Cut)),
        (CircuitState::Open, 2)
    );
}
