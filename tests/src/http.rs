//! Asks a running server.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// Longer than any answer may take.
const LONG: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `Null` where it is not JSON.
    pub body: Value,
}

/// Gets a URL, or nothing where nobody answers.
///
/// # Panics
/// If there can be no client.
pub async fn get(url: &str) -> Option<Answer> {
    answer(client(LONG).get(url)).await
}

/// The same as somebody who has a token.
///
/// # Panics
/// If there can be no client.
pub async fn get_with_token(url: &str, token: &str) -> Option<Answer> {
    answer(client(LONG).get(url).bearer_auth(token)).await
}

/// What a URL says that does not speak JSON.
///
/// # Panics
/// If nobody answers, or not with 200.
pub async fn get_text(url: &str) -> String {
    let answer = client(LONG).get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{url}");
    answer.text().await.expect("a body")
}

async fn answer(request: RequestBuilder) -> Option<Answer> {
    let answer = request.send().await.ok()?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.json().await.unwrap_or_default();
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// A client that keeps its connection, and waits for an answer for so long.
pub(crate) fn client(patience: Duration) -> Client {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .timeout(patience)
        .build()
        .expect("a client")
}
