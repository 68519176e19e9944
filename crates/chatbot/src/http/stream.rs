//! `POST /api/chatbot/stream`: a message, and its answer as it comes about.
//!
//! Server-sent events: `step` for each step that is done, `token` for each part of the message,
//! `citations`, and `done` with the whole answer; or `error` with a problem document. The id of a
//! `token` is the number of characters of the message up to its end: who lost the stream sends the
//! request again with the same key, and `Last-Event-ID` to leave out what it has.

use std::{convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use uuid::Uuid;

use super::{
    chat::{Call, REPLAYED},
    problem::Problem,
    reception::{Admitted, Given, Reception},
};
use crate::{assistant::Told, idempotency::StoredAnswer};

/// How often a stream says that it is alive: proxies close what is silent, often after 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Answers a message as it comes about.
#[utoipa::path(
    post,
    path = "/api/chatbot/stream",
    tag = "chat",
    params(super::openapi::KeyHeader, super::openapi::LastEventId),
    request_body = super::openapi::ChatRequestBody,
    responses(
        (status = 200, description = "Events `step`, `token`, `citations`, then `done` or `error`",
            content_type = "text/event-stream", body = super::openapi::StreamEvent),
        super::openapi::Problems,
    ),
)]
pub(super) async fn stream(State(reception): State<Arc<Reception>>, request: Request) -> Response {
    let mut call = match Call::receive(&reception, request).await {
        Ok(call) => call,
        Err(response) => return response,
    };
    let (tell, told) = mpsc::unbounded_channel();
    let response = match call.admit(&reception, Some(tell)).await {
        Ok(Admitted::Replay(answer)) => {
            let known = known_characters(&call.parts.headers);
            let events = stream::iter(replay(&answer, known).into_iter().map(Ok::<_, Infallible>));
            let mut response = Sse::new(events).into_response();
            let value = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, value);
            response
        }
        Ok(Admitted::Begun(answer)) => {
            let telling = Telling {
                request_id: call.request_id,
                told,
                answer,
                characters: 0,
                stage: Stage::Live,
                ending: ending(&reception),
            };
            let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
            Sse::new(telling.events())
                .keep_alive(keep_alive)
                .into_response()
        }
        Err(problem) => problem.response(call.request_id),
    };
    call.finish(response)
}

/// Comes when the server has begun to end and the time for last words is over.
fn ending(reception: &Reception) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let draining = reception.options.draining.clone();
    let last_words = reception.options.last_words;
    Box::pin(async move {
        draining.cancelled().await;
        sleep(last_words).await;
    })
}

/// How many characters of the message the client has.
fn known_characters(headers: &HeaderMap) -> usize {
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    last.unwrap_or(0)
}

/// The events of an answer that is there already.
fn replay(answer: &StoredAnswer, known: usize) -> Vec<Event> {
    let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let steps = answer["agent_timeline"].as_array();
    let mut events: Vec<Event> = steps
        .into_iter()
        .flatten()
        .map(|step| event("step", step))
        .collect();
    events.extend(last_events(&answer, known));
    events
}

/// What is left of the message, the citations, and the end.
fn last_events(answer: &Value, known: usize) -> Vec<Event> {
    let message = answer["message"].as_str().unwrap_or("");
    let rest: String = message.chars().skip(known).collect();
    let mut events = Vec::new();
    if !rest.is_empty() {
        events.push(token(&rest, message.chars().count()));
    }
    events.push(event("citations", &answer["citations"]));
    events.push(event("done", answer));
    events
}

fn token(text: &str, characters: usize) -> Event {
    event("token", &json!({ "text": text })).id(characters.to_string())
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no line breaks, which the format could not carry.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    Event::default().event(name).data(data)
}

/// A stream under way.
struct Telling {
    request_id: Uuid,
    told: mpsc::UnboundedReceiver<Told>,
    answer: oneshot::Receiver<Result<Given, Problem>>,
    characters: usize,
    stage: Stage,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
}

enum Stage {
    Live,
    /// These are left to send.
    Last(std::vec::IntoIter<Event>),
}

// === impl Telling ===

impl Telling {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut telling| {
            let event = telling.next().await?;
            Some((Ok(event), telling))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            match &mut self.stage {
                Stage::Last(events) => return events.next(),
                Stage::Live => {
                    if let Some(event) = self.live().await {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// The next event, or `None` once only the last ones are left.
    async fn live(&mut self) -> Option<Event> {
        let told = tokio::select! {
            biased;
            told = self.told.recv() => told,
            () = &mut self.ending => {
                // The work goes on, and whoever sends the request again gets its answer.
                let again = json!({ "detail": "the server ends; send the request again with the same key" });
                self.stage = Stage::Last(vec![event("shutdown", &again)].into_iter());
                return None;
            }
        };
        match told {
            Some(Told::Step(step)) => Some(event("step", &step)),
            Some(Told::Text(text)) => {
                self.characters += text.chars().count();
                Some(token(&text, self.characters))
            }
            None => {
                let last = match (&mut self.answer).await {
                    Ok(Ok(Given { answer, .. })) => {
                        let answer: Value =
                            serde_json::from_slice(&answer.body).unwrap_or_default();
                        last_events(&answer, self.characters)
                    }
                    Ok(Err(problem)) => vec![event("error", &problem.document(self.request_id))],
                    Err(_) => {
                        let problem = Problem::internal();
                        vec![event("error", &problem.document(self.request_id))]
                    }
                };
                self.stage = Stage::Last(last.into_iter());
                None
            }
        }
    }
}
