//! Answers that come piece by piece, or do not.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tria_chatbot::{OutOfTime, model::FailureKind};

use super::{
    scripted::{Request, Scripted},
    *,
};

type Pieces = Pin<Box<dyn Stream<Item = Result<String, ModelError>> + Send>>;

const FINISHED: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;

/// A stream that has begun, with what serves it.
struct Begun {
    model: Model,
    server: Scripted,
    request: Request,
    pieces: Pieces,
}

impl Begun {
    /// Lets the server send one piece, and the client read it.
    async fn new(options: ModelOptions, budget: Budget) -> Self {
        let mut server = Scripted::start().await;
        let model = at(&server.base_url(), options);
        let mut pieces: Pieces = Box::pin(model.stream(&prompt(), budget));
        let speaking = async {
            let mut request = server.next().await;
            request.stream().await;
            request
                .event(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#)
                .await;
            request.piece("Small").await;
            request
        };
        let (piece, request) = tokio::join!(pieces.next(), speaking);
        assert_eq!(piece.unwrap().unwrap(), "Small");
        Self {
            model,
            server,
            request,
            pieces,
        }
    }

    fn failures(&self) -> Vec<FailureKind> {
        let failures = self.model.breaker().chat.failures;
        let kinds = failures.iter().filter(|(_, count)| *count > 0);
        kinds.map(|(kind, _)| kind).collect()
    }
}

/// The rest of a stream: its pieces and the error that ended it.
async fn rest(pieces: &mut Pieces) -> (String, Option<ModelError>) {
    let mut text = String::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => text.push_str(&piece),
            Err(error) => {
                assert!(pieces.next().await.is_none(), "an error is the last item");
                return (text, Some(error));
            }
        }
    }
    (text, None)
}

async fn begun() -> Begun {
    let options = ModelOptions {
        most_retries: 2,
        ..options()
    };
    Begun::new(options, plenty()).await
}

#[tokio::test]
async fn pieces_come_as_they_are_sent_until_the_mark_of_the_end() {
    let mut begun = begun().await;
    // A piece whose letters come in two parts, a comment, and the usage without a choice.
    let piece = "data: {\"choices\":[{\"delta\":{\"content\":\", groß\"}}]}\n\n".as_bytes();
    let half = piece.iter().position(|byte| *byte > 127).unwrap() + 1;
    begun.request.chunk(&piece[..half]).await;
    begun.request.chunk(&piece[half..]).await;
    begun.request.chunk(b": ping\n\n").await;
    begun.request.event(FINISHED).await;
    begun
        .request
        .event(r#"{"choices":[],"usage":{"prompt_tokens":1}}"#)
        .await;
    begun.request.event("[DONE]").await;
    // What comes after the end is not read, and is not waited for.
    begun.request.event("garbage").await;
    let (text, error) = rest(&mut begun.pieces).await;
    assert_eq!(text, ", groß");
    assert!(error.is_none(), "{error:?}");
    assert!(begun.failures().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_finished_needs_no_mark_of_the_end() {
    let last = r#"{"choices":[{"delta":{"content":"."},"finish_reason":"length"}]}"#;
    for last in [last, FINISHED] {
        let mut begun = begun().await;
        begun.request.event(last).await;
        begun.request.end().await;
        let (_, error) = rest(&mut begun.pieces).await;
        assert!(error.is_none(), "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_is_an_error_and_is_not_begun_again() {
    let mut begun = begun().await;
    begun.request.piece(" and").await;
    drop(begun.request);
    let (text, error) = rest(&mut begun.pieces).await;
    assert_eq!(text, " and");
    assert!(matches!(error, Some(ModelError::Cut(Some(_)))), "{error:?}");
    assert!(begun.server.is_idle());
    let chat = begun.model.breaker().chat;
    assert_eq!(
        (chat.calls_total, chat.failures.of(FailureKind::Cut)),
        (1, 1)
    );
}

#[tokio::test]
async fn a_stream_that_ends_well_before_its_answer_does_is_an_error() {
    let mut begun = begun().await;
    begun.request.end().await;
    let (_, error) = rest(&mut begun.pieces).await;
    let error = error.unwrap();
    assert!(matches!(error, ModelError::Cut(None)) && error.is_transient());
}

#[tokio::test]
async fn what_is_no_event_of_such_an_api_is_an_error() {
    for garbage in ["data: <html>\n\n", "data: 7\n\n", "data: \u{0}\n\n"] {
        let mut begun = begun().await;
        begun.request.chunk(garbage.as_bytes()).await;
        let (_, error) = rest(&mut begun.pieces).await;
        assert!(matches!(error, Some(ModelError::Malformed)), "{error:?}");
        assert_eq!(begun.failures(), [FailureKind::Malformed]);
    }
    let mut begun = begun().await;
    begun.request.chunk(b"data: \xff\n\n").await;
    begun.request.end().await;
    let (_, error) = rest(&mut begun.pieces).await;
    assert!(matches!(error, Some(ModelError::Malformed)), "{error:?}");
}

#[tokio::test]
async fn an_error_within_the_stream_cuts_it() {
    let mut begun = begun().await;
    begun
        .request
        .event(r#"{"error":{"code":500,"message":"out of memory"}}"#)
        .await;
    let (_, error) = rest(&mut begun.pieces).await;
    assert!(matches!(error, Some(ModelError::Cut(None))), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_a_filter_ends_is_withheld_and_no_failure_of_the_api() {
    let mut begun = begun().await;
    let filtered = r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#;
    begun.request.event(filtered).await;
    let (_, error) = rest(&mut begun.pieces).await;
    assert!(matches!(error, Some(ModelError::Withheld)), "{error:?}");
    assert!(begun.failures().is_empty());
}

#[tokio::test]
async fn a_piece_that_does_not_come_is_not_waited_for() {
    // Long enough for the first piece on a busy machine.
    let short = Duration::from_secs(3);
    for (limit, budget, ended) in [
        (Duration::from_millis(100), HOUR, OutOfTime::Limit),
        (HOUR, short, OutOfTime::Budget),
    ] {
        let options = ModelOptions {
            next_piece_limit: limit,
            ..options()
        };
        let mut begun = Begun::new(options, Budget::of(budget)).await;
        let (_, error) = rest(&mut begun.pieces).await;
        assert!(
            matches!(error, Some(ModelError::OutOfTime(which)) if which == ended),
            "{error:?}"
        );
        begun.request.left().await;
    }
}

#[tokio::test]
async fn a_connection_that_is_only_kept_alive_is_silent() {
    let options = ModelOptions {
        next_piece_limit: Duration::from_millis(100),
        ..options()
    };
    let mut begun = Begun::new(options, plenty()).await;
    let ((_, error), ()) = tokio::join!(rest(&mut begun.pieces), begun.request.chatter());
    assert!(
        matches!(error, Some(ModelError::OutOfTime(OutOfTime::Limit))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_reader_who_takes_his_time_is_no_failure_of_the_api() {
    let options = ModelOptions {
        next_piece_limit: Duration::from_millis(500),
        ..options()
    };
    let mut begun = Begun::new(options, plenty()).await;
    begun.request.event(FINISHED).await;
    begun.request.end().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (_, error) = rest(&mut begun.pieces).await;
    assert!(error.is_none(), "{error:?}");
}

#[tokio::test]
async fn a_stream_that_is_dropped_drops_its_request_and_says_nothing() {
    let begun = begun().await;
    drop(begun.pieces);
    begun.request.left().await;
    assert_eq!(begun.model.breaker().chat.failures_total, 0);
}

/// Polls a new stream to its first item while the server does something else.
async fn first(
    options: ModelOptions,
    serve: impl AsyncFnOnce(&mut Scripted),
) -> (Result<String, ModelError>, Model) {
    let mut server = Scripted::start().await;
    let model = at(&server.base_url(), options);
    let mut pieces: Pieces = Box::pin(model.stream(&prompt(), plenty()));
    let (piece, ()) = tokio::join!(pieces.next(), serve(&mut server));
    (piece.unwrap(), model)
}

#[tokio::test]
async fn before_the_first_piece_it_is_begun_again_where_that_helps() {
    let options = ModelOptions {
        most_retries: 2,
        ..options()
    };
    let (piece, model) = first(options, async |server| {
        server.next().await.json(503, &Value::Null).await;
        let mut cut = server.next().await;
        cut.stream().await;
        drop(cut);
        let mut request = server.next().await;
        request.stream().await;
        request.piece("Small").await;
    })
    .await;
    assert_eq!(piece.unwrap(), "Small");
    assert_eq!(model.breaker().chat.calls_total, 3);
}

#[tokio::test]
async fn a_first_piece_that_does_not_come_is_not_waited_for_and_not_asked_for_again() {
    let options = ModelOptions {
        first_piece_limit: Duration::from_millis(100),
        most_retries: 2,
        ..options()
    };
    let (piece, model) = first(options, async |server| {
        let mut request = server.next().await;
        request.stream().await;
        request
            .event(r#"{"choices":[{"delta":{"role":"assistant"}}]}"#)
            .await;
        request.left().await;
        assert!(server.is_idle());
    })
    .await;
    assert!(
        matches!(piece, Err(ModelError::OutOfTime(OutOfTime::Limit))),
        "{piece:?}"
    );
    assert_eq!(model.breaker().chat.failures.of(FailureKind::TimedOut), 1);
}

#[tokio::test]
async fn an_answer_without_a_word_is_an_error_and_no_failure_of_the_api() {
    let (piece, model) = first(options(), async |server| {
        let mut request = server.next().await;
        request.stream().await;
        request.event(FINISHED).await;
        request.event("[DONE]").await;
        request.end().await;
    })
    .await;
    assert!(matches!(piece, Err(ModelError::Malformed)), "{piece:?}");
    assert_eq!(model.breaker().chat.failures_total, 0);
}

#[tokio::test]
async fn nothing_is_sent_before_the_stream_is_polled() {
    let mut server = Scripted::start().await;
    let model = at(&server.base_url(), options());
    drop(model.stream(&prompt(), plenty()));
    assert!(server.is_idle());
    assert_eq!(model.breaker().chat.calls_total, 0);
}
