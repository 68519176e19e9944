//! One request, one bounded answer, one classified error.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Response};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use url::Url;

use crate::{BodyProblem, ChromaClient, Error, Excerpt};

/// A refusal is a few hundred bytes; whatever is longer is not Chroma's.
const REFUSAL_LIMIT_BYTES: usize = 64 * 1024;

/// Chroma's own form of an error.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    message: String,
}

// === impl ChromaClient ===

impl ChromaClient {
    pub(crate) async fn get_json<T: DeserializeOwned>(&self, url: Url) -> Result<T, Error> {
        self.exchange(Method::GET, url, None::<&()>).await
    }

    pub(crate) async fn post_json<T: DeserializeOwned>(
        &self,
        url: Url,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Error> {
        self.exchange(Method::POST, url, Some(body)).await
    }

    /// For answers that say nothing (`{}`); still read as JSON, since a success status of something
    /// that is not Chroma proves nothing.
    pub(crate) async fn post(&self, url: Url, body: &(impl Serialize + Sync)) -> Result<(), Error> {
        self.post_json::<IgnoredAny>(url, body).await.map(drop)
    }

    pub(crate) async fn delete(&self, url: Url) -> Result<(), Error> {
        self.exchange::<IgnoredAny>(Method::DELETE, url, None::<&()>)
            .await
            .map(drop)
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Error> {
        let response = self.send(method, url, body).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refusal(response).await);
        }
        let body = read(response, self.max_body_bytes()).await?;
        self.decode(status.as_u16(), &body)
    }

    /// The answer with its status unjudged and its body unread.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Response, Error> {
        let mut request = self.http().request(method, url).timeout(self.timeout());
        if let Some(body) = body {
            request = request.json(body);
        }
        self.auth().apply(request)?.send().await.map_err(classify)
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, status: u16, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|error| {
            let text = String::from_utf8_lossy(&body[..body.len().min(REFUSAL_LIMIT_BYTES)]);
            let excerpt = Excerpt::of(&self.auth().redact(text.into_owned()));
            let problem = match error.classify() {
                Category::Data => BodyProblem::Shape,
                Category::Eof => BodyProblem::CutOff,
                Category::Syntax | Category::Io => BodyProblem::NotJson,
            };
            Error::UnexpectedBody {
                status,
                problem,
                excerpt,
            }
        })
    }

    /// The error that a status without success stands for.
    pub(crate) async fn refusal(&self, response: Response) -> Error {
        let status = response.status().as_u16();
        if status == 410 {
            return Error::Retired;
        }
        let retry_after = retry_after(&response);
        // The status is the news; a body that breaks off or is too long must not hide it.
        let body = read(response, REFUSAL_LIMIT_BYTES)
            .await
            .unwrap_or_default();
        let named = serde_json::from_slice::<Refusal>(&body).ok();
        let redact = |text| self.auth().redact(text);
        let named = named.map(|refusal| (redact(refusal.error), redact(refusal.message)));
        Error::status(status, named, retry_after)
    }
}

/// Reads a body up to a bound; what lies beyond it is never taken off the wire.
pub(crate) async fn read(mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(Error::BodyTooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// Finds out what kind of failure hides in the HTTP client's error.
pub(crate) fn classify(error: reqwest::Error) -> Error {
    // The path holds tenant and collection names; the caller knows where it asked.
    let error = error.without_url();
    let kind = kind_of(&error);
    match kind {
        Kind::Timeout => Error::Timeout(error),
        Kind::Tls => Error::Tls(error),
        Kind::Dns => Error::Dns(error),
        Kind::Connect => Error::Connect(error),
        Kind::NotHttp => Error::NotHttp(error),
        Kind::Interrupted => Error::Interrupted(error),
        Kind::Other => Error::Request(error),
    }
}

#[derive(Debug, PartialEq)]
enum Kind {
    Timeout,
    Tls,
    Dns,
    Connect,
    NotHttp,
    Interrupted,
    Other,
}

fn kind_of(error: &reqwest::Error) -> Kind {
    if error.is_timeout() {
        return Kind::Timeout;
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    let mut found = if error.is_connect() {
        Kind::Connect
    } else {
        Kind::Other
    };
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return Kind::Tls;
        }
        // The resolver's error has no public type; its text has been this one since hyper 0.11,
        // and a test holds it to that.
        if current.to_string() == "dns error" {
            return Kind::Dns;
        }
        if let Some(hyper) = current.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() {
                return Kind::NotHttp;
            }
            if found == Kind::Other {
                found = Kind::Interrupted;
            }
        }
        cause = match current.downcast_ref::<io::Error>() {
            Some(io) => {
                if found == Kind::Other {
                    found = Kind::Interrupted;
                }
                // `source` of an I/O error skips the error that it wraps.
                io.get_ref().map(|inner| inner as &(dyn StdError + 'static))
            }
            None => current.source(),
        };
    }
    found
}
