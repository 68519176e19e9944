//! Neither the key nor what people say is told by an error, a `Debug` or the log.

use std::{
    error::Error,
    io::Write,
    sync::{Arc, Mutex},
};

use futures_util::TryStreamExt;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

const SAID: &str = "my-planted-telephone";

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    /// All that is logged on this thread until the guard is dropped.
    fn open() -> (Self, tracing::subscriber::DefaultGuard) {
        // Another thread that comes by a place for the first time, and has no log, may otherwise
        // settle that nobody listens there, just while this one is opened.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let page = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(page.clone())
            .finish();
        (page, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[track_caller]
fn assert_clean(told: &str) {
    for secret in [&KEY[11..], "planted"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

/// Every text of an error.
fn everything(error: &ModelError) -> String {
    let chain = std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| {
        error.source()
    });
    let told: Vec<_> = chain.map(|error| format!("{error:?} {error}")).collect();
    told.join(" ")
}

fn telling() -> Prompt {
    Prompt::new(SAID)
        .user(SAID)
        .schema("s", json!({"title": SAID}))
}

#[tokio::test]
async fn no_fault_of_a_server_makes_it_tell() {
    let (page, _guard) = Page::open();
    let echo = format!("{KEY} {SAID}");
    let error = json!({"error": {"message": echo, "type": echo, "code": echo}});
    let odd = json!({"choices": echo, "data": echo});
    let event = format!("data: {echo}\n\n");
    let chunk = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":[\"{echo}\"]}}}}]}}\n\n");
    let within = format!("data: {error}\n\n");
    let mut responses = vec![
        ResponseTemplate::new(200).set_body_string(&echo),
        ResponseTemplate::new(500).set_body_string(&echo),
        ResponseTemplate::new(401).set_body_string(&echo),
        with(200, &odd),
        says(&echo),
    ];
    responses.extend([400, 401, 403, 404, 429, 500, 503].map(|status| with(status, &error)));
    let stream =
        |body: &String| ResponseTemplate::new(200).set_body_raw(body.clone(), "text/event-stream");
    responses.extend([&event, &chunk, &within].map(stream));
    for response in responses {
        let server = answering(response.insert_header("retry-after", &*echo)).await;
        let model = of(
            &server,
            ModelOptions {
                most_retries: 1,
                failures_to_open: 2,
                ..options()
            },
        );
        let prompt = telling();
        let structured = model.structured::<u8>(&prompt, plenty()).await.unwrap_err();
        let embedded = model.embed(&[SAID], plenty()).await.unwrap_err();
        let streamed: Result<Vec<_>, _> = model.stream(&prompt, plenty()).try_collect().await;
        for error in [structured, embedded, streamed.unwrap_err()] {
            assert_clean(&everything(&error));
        }
        assert_clean(&format!(
            "{model:?} {:?} {}",
            model.breaker(),
            json!(model.breaker())
        ));
    }
    let log = page.text();
    assert!(
        log.contains("is not asked for a while"),
        "the log was not kept: {log}"
    );
    assert_clean(&log);
}

#[tokio::test]
async fn no_good_answer_makes_it_tell() {
    let (page, _guard) = Page::open();
    let server = answering(says(SAID)).await;
    let model = of(&server, options());
    let prompt = telling();
    let answer = model.complete(&prompt, plenty()).await.unwrap();
    assert_eq!(answer.text, SAID);
    assert_clean(&format!(
        "{answer:?} {prompt:?} {model:?} {:?}",
        model.embedder()
    ));
    assert_clean(&page.text());
}

#[tokio::test]
async fn a_server_that_is_away_is_not_named() {
    let model = at("http://127.0.0.1:1/v1", options());
    let error = model.complete(&telling(), plenty()).await.unwrap_err();
    let told = everything(&error);
    assert!(error.source().is_some());
    assert_clean(&told);
    assert!(
        !format!("{error} {error:?}").contains("127.0.0.1"),
        "{told}"
    );
}
