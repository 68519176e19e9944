//! Embeddings that do not come, or do not fit.

use tria_chatbot::{EmbedError, model::FailureKind};

use super::*;

fn vectors(numbered: &[(usize, &[f32])]) -> ResponseTemplate {
    let data = numbered
        .iter()
        .map(|(index, vector)| json!({ "index": index, "embedding": vector }));
    with(200, &json!({ "data": data.collect::<Vec<_>>() }))
}

#[tokio::test]
async fn vectors_are_put_in_order_and_made_of_length_one() {
    let server = answering(vectors(&[(1, &[0.0, 2.0]), (0, &[3.0, 4.0])])).await;
    let model = of(&server, options());
    let embedded = model.embed(&["a", "b"], plenty()).await.unwrap();
    assert_eq!(embedded, [[0.6, 0.8], [0.0, 1.0]]);
    let received = server.received_requests().await.unwrap();
    let sent: Value = received[0].body_json().unwrap();
    let meant =
        json!({"model": "embedding-model", "input": ["a", "b"], "encoding_format": "float"});
    assert_eq!((received[0].url.path(), sent), (EMBEDDINGS, meant));
}

#[tokio::test]
async fn vectors_that_do_not_fit_are_told_and_are_no_failure_of_the_api() {
    for response in [
        vectors(&[]),
        vectors(&[(0, &[1.0])]),
        vectors(&[(0, &[1.0]), (0, &[1.0])]),
        vectors(&[(0, &[1.0]), (1, &[1.0, 2.0])]),
        vectors(&[(0, &[1.0]), (1, &[0.0])]),
    ] {
        let server = answering(response).await;
        let model = of(&server, options());
        let error = model.embed(&["a", "b"], plenty()).await.unwrap_err();
        assert!(matches!(error, ModelError::Misfit), "{error:?}");
        let error = model.embedder().embed(&["a", "b"]).await.unwrap_err();
        assert!(matches!(error, EmbedError::Misfit), "{error:?}");
        assert_eq!(model.breaker().embeddings.failures_total, 0);
    }
}

#[tokio::test]
async fn an_error_of_the_server_is_tried_again_within_its_batch() {
    let server = answering(vectors(&[(0, &[1.0])])).await;
    once(&server, EMBEDDINGS, with(502, &Value::Null)).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 1,
            ..options()
        },
    );
    assert_eq!(model.embed(&["a"], plenty()).await.unwrap(), [[1.0]]);
    let reading = model.breaker();
    assert_eq!(reading.embeddings.calls_total, 2);
    assert_eq!(reading.chat.calls_total, 0);
}

#[tokio::test]
async fn a_server_without_embeddings_is_not_asked_again_and_again() {
    let server = answering(with(501, &json!({"error": {"code": 501}}))).await;
    let model = of(
        &server,
        ModelOptions {
            most_retries: 2,
            ..options()
        },
    );
    let error = model.embed(&["a"], plenty()).await.unwrap_err();
    assert!(matches!(error, ModelError::Refused { status: 501 }));
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn what_is_no_answer_of_such_an_api_is_told_and_counted() {
    let server = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let model = of(&server, options());
    let error = model.embed(&["a"], plenty()).await.unwrap_err();
    assert!(matches!(error, ModelError::Malformed));
    let failures = model.breaker().embeddings.failures;
    assert_eq!(failures.of(FailureKind::Malformed), 1);
}

#[tokio::test]
async fn an_embedder_is_bounded_and_passes_the_circuit_of_its_model() {
    let slow = vectors(&[(0, &[1.0])]).set_delay(HOUR);
    let server = answering(slow).await;
    let model = of(
        &server,
        ModelOptions {
            embed_limit: Duration::from_millis(100),
            failures_to_open: 1,
            ..options()
        },
    );
    let embedder = model.embedder();
    let error = embedder.embed(&["a"]).await.unwrap_err();
    assert!(
        matches!(error, EmbedError::Model(ModelError::OutOfTime(_))),
        "{error:?}"
    );
    let error = embedder.embed(&["a"]).await.unwrap_err();
    assert!(
        matches!(error, EmbedError::Model(ModelError::Open { .. })),
        "{error:?}"
    );
    assert_eq!(requests(&server).await, 1);
}
