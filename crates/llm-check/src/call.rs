//! One call of the API: sent, read up to a limit, and judged.

use std::time::Duration;

use async_openai::config::Config;
use reqwest::{
    Method, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use tria_check::{CheckContext, Finding, PrivateText, PublicText};

use crate::{Endpoint, codes, fault, refusal, refusal::Refusal, scrub::scrub};

/// The longest answer that is read. The list of a large gateway with its descriptions has about
/// 1 MiB.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// The longest error body that is read; what is longer is cut, for the status says enough.
const LONGEST_ERROR: usize = 64 * 1024;

/// Where the calls of one run of a check go, and until when they may take.
pub(crate) struct Calls<'a> {
    endpoint: &'a Endpoint,
    until: Instant,
}

/// A good answer.
pub(crate) struct Answer<T> {
    pub(crate) body: T,
    pub(crate) headers: HeaderMap,
    pub(crate) took: Duration,
}

// === impl Calls ===

impl<'a> Calls<'a> {
    /// Calls that end before the runner drops them, so that what they waited for can be told.
    pub(crate) fn new(endpoint: &'a Endpoint, cx: &CheckContext) -> Self {
        let until = cx.deadline() - cx.remaining() / 10;
        Self { endpoint, until }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Refusal> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Answer<T>, Refusal> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.endpoint
    }

    /// A text for operators, without the key.
    pub(crate) fn detail(&self, text: &str) -> PrivateText {
        PrivateText::new(scrub(text, self.endpoint.secret()))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer<T>, Refusal> {
        let config = self.endpoint.config();
        let begun = Instant::now();
        let left = self.until.saturating_duration_since(begun);
        let mut headers = config.headers();
        if let Some(key) = headers.get_mut(AUTHORIZATION) {
            key.set_sensitive(true);
        }
        let mut request = self
            .endpoint
            .http()
            .request(method.clone(), config.url(path))
            .headers(headers)
            .timeout(left);
        if let Some(body) = body {
            request = request.json(body);
        }
        let place = format!("{method} {}", config.url(path));
        let broken = |error: reqwest::Error| {
            let finding = fault::transport(&error, left);
            let cause = PrivateText::from_error(&error.without_url());
            let detail = self.detail(&format!("{place}: {}", cause.expose()));
            Refusal::from(finding.detail(detail))
        };

        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            let body = read_error(response).await;
            let refusal = refusal::judge(status, &headers, &body);
            let detail = format!("{place}: {status}{}", refusal::told(&headers, &body));
            return Err(refusal.map(|finding| finding.detail(self.detail(&detail))));
        }
        let headers = response.headers().clone();
        let Some(bytes) = read(response, LONGEST_ANSWER).await.map_err(broken)? else {
            let detail = self.detail(&format!("{place}: {status}"));
            return Err(too_large().detail(detail).into());
        };
        match serde_json::from_slice(&bytes) {
            Ok(body) => Ok(Answer {
                body,
                headers,
                took: begun.elapsed(),
            }),
            Err(error) => {
                // serde's message may quote the body, which a detail may hold once it is scrubbed.
                let told = refusal::told(&headers, &bytes);
                let detail = self.detail(&format!("{place}: {status}{told}, {error}"));
                Err(not_openai(&headers).detail(detail).into())
            }
        }
    }
}

/// The body, or `None` as soon as it is longer than `longest` bytes.
async fn read(mut response: Response, longest: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > longest {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The body of an error as far as it comes: its status has said the most already.
async fn read_error(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LONGEST_ERROR - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == LONGEST_ERROR {
            break;
        }
    }
    body
}

fn too_large() -> Finding {
    let limit = LONGEST_ANSWER / (1024 * 1024);
    Finding::fail(
        codes::BODY_TOO_LARGE,
        PublicText::filled("The answer is longer than {} MiB", &[limit.into()]),
    )
    .remedy("see that the base URL is that of an OpenAI-compatible API")
}

fn not_openai(headers: &HeaderMap) -> Finding {
    let html = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    let text = if html {
        "A web page answers where an OpenAI-compatible API was expected"
    } else {
        "The answer is not that of an OpenAI-compatible API"
    };
    Finding::fail(codes::NOT_OPENAI_API, text).remedy(
        "correct the base URL; most end in /v1, and a login page or proxy may stand in between",
    )
}
