//! One exchange with the API: sent, read up to a limit, and judged.
//!
//! async-openai has the URL, the headers and the types of the requests. Its client is not used: it
//! repeats requests by itself, four times and for as long as it is told to wait; it gives up the
//! HTTP status of each error that it cannot parse, and the header that says when to come back; it
//! logs what it cannot parse, which may be what a customer was answered; and it reads bodies of
//! any size.

use async_openai::config::{Config, OpenAIConfig};
use reqwest::{
    Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;

use super::{ModelError, refusal, wire::Body};

/// The longest answer that is read: 64 embeddings of 3,072 dimensions have about 3 MiB.
pub(super) const LONGEST_ANSWER: usize = 8 * 1024 * 1024;
/// The longest error body that is read; what is longer is cut, for the status says enough.
const LONGEST_ERROR: usize = 64 * 1024;

/// Where the API is, the key to it, and the connections to it.
pub(super) struct Api {
    http: reqwest::Client,
    headers: HeaderMap,
    chat: String,
    embeddings: String,
    openai: bool,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) enum Path {
    Chat,
    Embeddings,
}

// === impl Api ===

impl Api {
    pub(super) fn new(http: reqwest::Client, config: &OpenAIConfig) -> Self {
        let mut headers = config.headers();
        if let Some(key) = headers.get_mut(AUTHORIZATION) {
            key.set_sensitive(true);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self {
            http,
            headers,
            chat: config.url("/chat/completions"),
            embeddings: config.url("/embeddings"),
            openai: is_openai(config.api_base()),
        }
    }

    /// Whether it is OpenAI's own API, whose rules differ from those of compatible servers.
    pub(super) fn is_openai(&self) -> bool {
        self.openai
    }

    /// Sends a request, and gives the head of a good answer.
    pub(super) async fn open(&self, path: Path, body: Body) -> Result<Response, ModelError> {
        let url = match path {
            Path::Chat => &self.chat,
            Path::Embeddings => &self.embeddings,
        };
        let request = self.http.post(url).headers(self.headers.clone()).body(body);
        let mut response = request.send().await.map_err(ModelError::lost)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = std::mem::take(response.headers_mut());
        let body = read_error(response).await;
        Err(refusal::judge(status, &headers, &body))
    }

    /// Sends a request, and reads the whole of the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: Path,
        body: Body,
    ) -> Result<T, ModelError> {
        let response = self.open(path, body).await?;
        let body = read(response).await?;
        // The error is not kept: it quotes what it does not understand.
        serde_json::from_slice(&body).map_err(|_| ModelError::Malformed)
    }
}

fn is_openai(base: &str) -> bool {
    let url = Url::parse(base).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.is_some_and(|host| host == "openai.com" || host.ends_with(".openai.com"))
}

async fn read(mut response: Response) -> Result<Vec<u8>, ModelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ModelError::lost)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(ModelError::Malformed);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_only_looks_like_openai_is_not() {
        assert!(is_openai("https://api.openai.com/v1"));
        for other in [
            "http://notopenai.com/v1",
            "http://openai.com.evil.example/v1",
            "x",
        ] {
            assert!(!is_openai(other), "{other}");
        }
    }
}
