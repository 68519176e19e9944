//! Somebody who talks to the chat, and the way to it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::{Events, http};

/// Longer than any answer may take on a busy machine.
const LONG: Duration = Duration::from_secs(90);

/// The way to the chat of a server. Clones share their connections.
#[derive(Clone)]
pub struct Door {
    client: Client,
    url: String,
}

/// A request to the chat, good unless it is made otherwise.
#[derive(Clone, Debug)]
pub struct Post {
    /// The header `Idempotency-Key`, once for each.
    pub keys: Vec<String>,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The header `Last-Event-ID`.
    pub last_event: Option<usize>,
    /// The body.
    pub body: Vec<u8>,
}

/// A complete answer of the chat.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub bytes: Vec<u8>,
    /// Its body as JSON; `Null` where it is none.
    pub body: Value,
}

/// A user in a conversation.
pub struct Customer {
    door: Door,
    user: String,
    /// The conversation as the last answer named it.
    pub session: Option<String>,
}

// === impl Post ===

impl Post {
    /// With this body, and a key that no other request has.
    pub fn new(body: &Value) -> Self {
        Self::raw(body.to_string())
    }

    /// A message of a user.
    pub fn of(user: &str, message: &str) -> Self {
        Self::new(&json!({ "message": message, "user_id": user }))
    }

    /// With bytes that need not be JSON.
    pub fn raw(body: impl Into<Vec<u8>>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            keys: vec![format!("key-{number}")],
            content_type: "application/json".to_owned(),
            last_event: None,
            body: body.into(),
        }
    }

    /// The same under this key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys = vec![key.into()];
        self
    }

    fn put(&self, request: RequestBuilder) -> RequestBuilder {
        let mut request = request.header("content-type", &self.content_type);
        for key in &self.keys {
            request = request.header("idempotency-key", key);
        }
        if let Some(last) = self.last_event {
            request = request.header("last-event-id", last);
        }
        request.body(self.body.clone())
    }
}

// === impl Door ===

impl Door {
    /// Of the server at this URL, as in `http://127.0.0.1:8003`.
    pub fn of(url: &str) -> Self {
        Self {
            client: http::client(LONG),
            url: url.to_owned(),
        }
    }

    /// Sends a request for a plain answer.
    ///
    /// # Panics
    /// If there is no complete one.
    pub async fn ask(&self, post: &Post) -> Reply {
        let said = self.try_ask(post).await;
        said.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The same, where the server may break off.
    ///
    /// # Errors
    /// The client's, if there is no complete answer.
    pub async fn try_ask(&self, post: &Post) -> reqwest::Result<Reply> {
        let request = self.client.post(format!("{}/api/chatbot", self.url));
        Reply::of(post.put(request).send().await?).await
    }

    /// Sends a request for a stream.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn listen(&self, post: &Post) -> Events {
        let request = self.client.post(format!("{}/api/chatbot/stream", self.url));
        let answer = post.put(request).send().await;
        Events::of(answer.unwrap_or_else(|error| panic!("no answer: {error:?}")))
    }

    /// Somebody who comes through it, and begins a new conversation.
    pub fn customer(&self, user: &str) -> Customer {
        Customer {
            door: self.clone(),
            user: user.to_owned(),
            session: None,
        }
    }
}

// === impl Customer ===

impl Customer {
    /// Says something, and gives what is answered with 200.
    ///
    /// # Panics
    /// If it is answered otherwise.
    pub async fn says(&mut self, message: &str) -> Reply {
        let said = self.tries(message).await;
        assert_eq!(said.status, 200, "{message:?}: {}", said.body);
        said
    }

    /// Says something, and gives what is answered.
    pub async fn tries(&mut self, message: &str) -> Reply {
        let said = self.door.ask(&self.post(message)).await;
        if let Some(session) = said.body["session_id"].as_str() {
            self.session = Some(session.to_owned());
        }
        said
    }

    /// The request that says something.
    pub fn post(&self, message: &str) -> Post {
        let session = &self.session;
        Post::new(&json!({ "message": message, "user_id": self.user, "session_id": session }))
    }
}

// === impl Reply ===

impl Reply {
    async fn of(answer: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Self {
            status,
            headers,
            bytes,
            body,
        })
    }

    /// A header; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// What is said to the customer; empty in a problem document.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or("")
    }

    /// The id of the order that was placed.
    pub fn order(&self) -> Option<&str> {
        self.body["order_id"].as_str()
    }

    /// Asserts that it is a whole problem document of this status and kind, as in `invalid-request`.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, kind: &str) {
        let Self { body, .. } = self;
        assert_eq!(self.status, status, "{body}");
        assert_eq!(body["type"], format!("urn:tria:problem:{kind}"), "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status, "{body}");
        for text in ["title", "detail"] {
            assert!(
                body[text].as_str().is_some_and(|it| !it.is_empty()),
                "{body}"
            );
        }
        assert_eq!(body["request_id"], self.header("x-request-id"), "{body}");
        assert_eq!(self.header("cache-control"), "no-store");
        let waits: Option<u64> = self.header("retry-after").parse().ok();
        let says_when = matches!(status, 409 | 429 | 503);
        assert_eq!(
            waits.is_some_and(|it| it >= 1),
            says_when,
            "{:?}",
            self.headers
        );
    }
}
