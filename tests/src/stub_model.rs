//! A model API that takes the same time for each answer, with embeddings that mean what the real
//! ones do.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use serde_json::{Value, json};
use tokio::time::{Instant as Moment, sleep_until};
use tria_devstack::SharedStack;

/// A model API on a thread of its own, until the process ends. Each text is embedded once by the
/// real model, and remembered; each completion is the same sentence.
pub struct StubModel {
    address: SocketAddr,
    desk: Arc<Desk>,
}

/// What it has been asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// How many embeddings and completions were answered.
    pub calls: usize,
    /// How long at least one of them was at work, from its arrival to its answer.
    pub busy: Duration,
    /// How many were at work at once, at most.
    pub at_once: usize,
}

struct Desk {
    delay: Duration,
    sentence: &'static str,
    real: reqwest::Client,
    real_url: String,
    real_key: String,
    /// A vector as JSON for each text.
    vectors: Mutex<HashMap<String, Arc<str>>>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    asked: Asked,
    at_work: usize,
    since: Option<Instant>,
}

/// A call at work.
struct AtWork<'a> {
    desk: &'a Desk,
    until: Moment,
}

// === impl StubModel ===

impl StubModel {
    /// Starts it before the real model of `stack`. Each answer takes `delay`, and each completion
    /// is `sentence`.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn start(stack: &SharedStack, delay: Duration, sentence: &'static str) -> Self {
        let desk = Arc::new(Desk {
            delay,
            sentence,
            real: crate::http::client(Duration::from_secs(60)),
            real_url: format!("{}/embeddings", stack.model_base_url()),
            real_key: stack.model_key().to_owned(),
            vectors: Mutex::default(),
            book: Mutex::default(),
        });
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a socket");
        let router = Router::new()
            .route("/v1/models", get(list))
            .route("/v1/models/{model}", get(model))
            .route("/v1/embeddings", post(embeddings))
            .route("/v1/chat/completions", post(completions))
            .with_state(Arc::clone(&desk));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                let listener = listener.tap_io(|stream| {
                    let _ = stream.set_nodelay(true);
                });
                let _ = axum::serve(listener, router).await;
            });
        });
        Self { address, desk }
    }

    /// `http://127.0.0.1:port/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it has been asked for since the last time that this was asked.
    ///
    /// # Panics
    /// Never: nobody panics while counting.
    pub fn take(&self) -> Asked {
        let mut book = self.desk.book.lock().expect("nobody panics while counting");
        std::mem::take(&mut book.asked)
    }
}

// === impl Desk ===

impl Desk {
    fn enter(&self) -> AtWork<'_> {
        let mut book = self.book.lock().expect("nobody panics while counting");
        book.at_work += 1;
        book.asked.at_once = book.asked.at_once.max(book.at_work);
        book.since.get_or_insert_with(Instant::now);
        AtWork {
            desk: self,
            until: Moment::now() + self.delay,
        }
    }

    /// The vectors of the texts as JSON, in their order.
    async fn vectors(&self, model: &Value, texts: &[String]) -> Option<Vec<Arc<str>>> {
        let missing: Vec<&String> = {
            let known = self.vectors.lock().expect("nobody panics while looking");
            let missing = texts.iter().filter(|text| !known.contains_key(*text));
            missing.collect()
        };
        if !missing.is_empty() {
            let body = json!({ "model": model, "input": missing, "encoding_format": "float" });
            let asked = self.real.post(&self.real_url).bearer_auth(&self.real_key);
            let answer = asked.json(&body).send().await.ok()?;
            let answer: Value = answer.json().await.ok()?;
            let mut known = self.vectors.lock().expect("nobody panics while looking");
            for told in answer["data"].as_array()? {
                let at = usize::try_from(told["index"].as_u64()?).ok()?;
                let vector = told["embedding"].to_string();
                known.insert((*missing.get(at)?).clone(), vector.into());
            }
        }
        let known = self.vectors.lock().expect("nobody panics while looking");
        texts.iter().map(|text| known.get(text).cloned()).collect()
    }
}

// === impl AtWork ===

impl AtWork<'_> {
    async fn done(self) {
        sleep_until(self.until).await;
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut book = self.desk.book.lock().expect("nobody panics while counting");
        book.at_work -= 1;
        book.asked.calls += 1;
        if book.at_work == 0
            && let Some(since) = book.since.take()
        {
            book.asked.busy += since.elapsed();
        }
    }
}

// === the routes ===

async fn list(State(desk): State<Arc<Desk>>) -> Response {
    // The real list: whoever looks for a model finds it there.
    let url = desk.real_url.replace("/embeddings", "/models");
    let asked = desk.real.get(url).bearer_auth(&desk.real_key).send().await;
    match asked {
        Ok(answer) => json_text(answer.text().await.unwrap_or_default()),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn model(Path(model): Path<String>) -> Response {
    let told = json!({ "id": model, "object": "model", "created": 0, "owned_by": "stub" });
    json_text(told.to_string())
}

async fn embeddings(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let at_work = desk.enter();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let texts: Vec<String> = serde_json::from_value(asked["input"].clone()).unwrap_or_default();
    let Some(vectors) = desk.vectors(&asked["model"], &texts).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let data: Vec<String> = vectors
        .iter()
        .enumerate()
        .map(|(at, vector)| {
            format!(r#"{{"object":"embedding","index":{at},"embedding":{vector}}}"#)
        })
        .collect();
    let told = format!(r#"{{"object":"list","data":[{}]}}"#, data.join(","));
    at_work.done().await;
    json_text(told)
}

async fn completions(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let at_work = desk.enter();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let response = if asked["stream"] == true {
        let piece = |delta: Value, ended: Value| {
            let choice = json!({ "index": 0, "delta": delta, "finish_reason": ended });
            let chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
            format!("data: {chunk}\n\n")
        };
        let pieces = desk.sentence.split_inclusive(' ');
        let pieces = pieces.map(|word| piece(json!({ "content": word }), Value::Null));
        let mut told: String = pieces.collect();
        told += &piece(json!({}), json!("stop"));
        told += "data: [DONE]\n\n";
        ([(header::CONTENT_TYPE, "text/event-stream")], told).into_response()
    } else {
        let message = json!({ "role": "assistant", "content": desk.sentence });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        json_text(json!({ "object": "chat.completion", "choices": [choice] }).to_string())
    };
    at_work.done().await;
    response
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
