use std::fmt;
use std::time::Duration;

use crate::UrlProblem;

/// What went wrong. Sources are in [`std::error::Error::source`], never in the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The base URL cannot be used.
    #[error("the base url cannot be used: {problem}")]
    InvalidUrl {
        /// Why.
        problem: UrlProblem,
    },
    /// A tenant, database or collection name is empty or a dot segment.
    #[error("a name must not be empty, \".\" or \"..\"")]
    InvalidName,
    /// The token or user name cannot be sent in a header.
    #[error("the credentials cannot be sent in a header")]
    InvalidAuth,
    /// A record that the server would refuse with a text that does not name the record.
    #[error("record {index} cannot be sent: {problem}")]
    InvalidRecord {
        /// Position in the slice that was given.
        index: usize,
        /// Why.
        problem: RecordProblem,
    },
    /// An `https` URL, and no rustls crypto provider was installed in this process.
    #[error("https needs a rustls crypto provider, none is installed in this process")]
    NoCryptoProvider,
    /// The HTTP client could not be built, for example because no trusted roots were found.
    #[error("the http client cannot be built")]
    BuildClient(#[source] reqwest::Error),

    /// No connection: refused, unreachable.
    #[error("no connection to chromadb")]
    Connect(#[source] reqwest::Error),
    /// The host name could not be resolved.
    #[error("the host name of chromadb cannot be resolved")]
    Dns(#[source] reqwest::Error),
    /// The TLS handshake failed: an unknown certificate, or a server that does not speak TLS.
    #[error("the tls handshake with chromadb failed")]
    Tls(#[source] reqwest::Error),
    /// No complete answer in time, connecting included.
    #[error("chromadb did not answer in time")]
    Timeout(#[source] reqwest::Error),
    /// The connection ended in the middle of a request or an answer.
    #[error("the connection to chromadb was interrupted")]
    Interrupted(#[source] reqwest::Error),
    /// What answers there does not speak HTTP.
    #[error("the answer is not http")]
    NotHttp(#[source] reqwest::Error),

    /// An answer with a status that is not success.
    #[error("chromadb answered {status}{}", Named { name: name.as_deref(), message })]
    Status {
        /// The HTTP status.
        status: u16,
        /// Chroma's own name of the error, such as `NotFoundError` or `InvalidArgumentError`;
        /// `None` when the body is not in Chroma's form, so that something else answered.
        name: Option<String>,
        /// Chroma's own text, at most 500 characters; empty without a name.
        message: String,
        /// The `Retry-After` header, when it was given in seconds.
        retry_after: Option<Duration>,
    },
    /// The server offers only the v1 API, as `ChromaDB` before 0.6 does.
    #[error("this chromadb speaks only the v1 api")]
    ServerTooOld,
    /// `410 Gone`: the server is a `ChromaDB` that has retired the path which was asked for. The v2
    /// paths of this client do not reach it; something in between rewrites them to v1.
    #[error("chromadb has retired this path (410); the v2 api is not reached")]
    Retired,
    /// A success status with a body of another shape than Chroma's.
    #[error("the body of the answer is not what chromadb sends: {problem}")]
    UnexpectedBody {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it. The reader's own error is not kept: it repeats parts of the body.
        problem: BodyProblem,
        /// The beginning of the body, for a private place only.
        excerpt: Excerpt,
    },
    /// The body is longer than the client was told to read.
    #[error("the body of the answer is longer than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// Anything else that the HTTP client reports.
    #[error("the request to chromadb failed")]
    Request(#[source] reqwest::Error),
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyProblem {
    /// Not JSON, such as a page for people.
    #[error("it is not json")]
    NotJson,
    /// JSON of another shape.
    #[error("its json has another shape")]
    Shape,
    /// JSON that ends too early.
    #[error("it is cut off")]
    CutOff,
}

/// Why a record cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// JSON has no form for NaN and infinity.
    #[error("its embedding holds a number that is not finite")]
    NotFinite,
    /// The embedding has no number.
    #[error("its embedding is empty")]
    Empty,
}

/// The first 200 characters of a body that was not understood. It can hold anything, so neither
/// `Debug` nor the error's text shows it; [`Excerpt::as_str`] is for private places.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

const EXCERPT_CHARS: usize = 200;
const MESSAGE_CHARS: usize = 500;

struct Named<'a> {
    name: Option<&'a str>,
    message: &'a str,
}

// === impl Error ===

impl Error {
    /// Whether the same request can succeed later without anyone changing anything: the server is
    /// down, starting, busy or out of reach.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Dns(_) | Self::Timeout(_) | Self::Interrupted(_) => true,
            Self::Status { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// Whether Chroma itself said that the tenant, database, collection or record does not exist.
    /// A 404 of something else (a proxy, another service) is not meant.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 404,
                name: Some(_),
                ..
            }
        )
    }

    /// Whether Chroma said that the name is taken already.
    pub fn is_already_exists(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 409,
                name: Some(_),
                ..
            }
        )
    }

    pub(crate) fn status(
        status: u16,
        named: Option<(String, String)>,
        retry_after: Option<Duration>,
    ) -> Self {
        let (name, message) = named.unzip();
        let message = message
            .map(|text| cut(&text, MESSAGE_CHARS))
            .unwrap_or_default();
        let name = name.map(|text| cut(&text, EXCERPT_CHARS));
        Self::Status {
            status,
            name,
            message,
            retry_after,
        }
    }
}

// === impl Excerpt ===

impl Excerpt {
    pub(crate) fn of(body: &str) -> Self {
        Self(cut(body, EXCERPT_CHARS))
    }

    /// The text, with invalid UTF-8 replaced and control characters escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excerpt({} bytes)", self.0.len())
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = self.name else { return Ok(()) };
        write!(f, " {name}")?;
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

/// Cuts at a number of characters and escapes what could forge lines in a log.
fn cut(text: &str, chars: usize) -> String {
    let mut out = String::new();
    for character in text.chars().take(chars) {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_bounded_and_never_shown_by_debug() {
        let body = "secret\n".repeat(1000);
        let excerpt = Excerpt::of(&body);
        assert!(excerpt.as_str().starts_with("secret\\nsecret"));
        assert!(excerpt.as_str().len() < 2 * EXCERPT_CHARS);
        let problem = BodyProblem::NotJson;
        let error = Error::UnexpectedBody {
            status: 200,
            problem,
            excerpt,
        };
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert_eq!(Excerpt::of(&"é".repeat(500)).as_str().chars().count(), 200);
    }

    #[test]
    fn a_status_shows_chromas_own_words_and_nothing_without_them() {
        let named = Error::status(404, Some(("NotFoundError".into(), "no\nway".into())), None);
        assert_eq!(
            named.to_string(),
            "chromadb answered 404 NotFoundError: no\\nway"
        );
        let bare = Error::status(404, None, None);
        assert_eq!(bare.to_string(), "chromadb answered 404");
        assert!(named.is_not_found() && !bare.is_not_found());
    }

    #[test]
    fn which_statuses_pass_by_themselves() {
        for status in 300..600_u16 {
            let transient = [408, 425, 429, 500, 502, 503, 504].contains(&status);
            assert_eq!(
                Error::status(status, None, None).is_transient(),
                transient,
                "{status}"
            );
        }
    }
}
