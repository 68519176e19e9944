//! Problem documents (RFC 9457): what went wrong, for programs and for people.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{assistant::AnswerError, idempotency::GateError};

/// When to come again where nobody knows better.
const SOON: Duration = Duration::from_secs(5);

/// Why a request was not answered. It holds no text of a driver, no host and no secret.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    fields: Vec<FieldProblem>,
    retry_after: Option<Duration>,
}

/// What is wrong with a field of the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where the field is, as a JSON pointer (RFC 6901).
    #[schema(example = "/message")]
    pub pointer: String,
    /// What is wrong with it, and what would be right.
    pub detail: String,
}

/// The document as it is sent, with the content type `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// Which problem it is; the same for each occurrence.
    #[serde(rename = "type")]
    #[schema(example = "urn:tria:problem:invalid-request")]
    pub kind: String,
    /// The problem in a few words.
    pub title: String,
    /// The status of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// What went wrong this time, and what to do about it.
    pub detail: String,
    /// The request, as the log of the server names it.
    pub request_id: Uuid,
    /// What is wrong with each field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem>,
}

// === impl Problem ===

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
        }
    }

    pub(crate) fn with_fields(mut self, fields: Vec<FieldProblem>) -> Self {
        self.fields = fields;
        self
    }

    /// Tells when to come again, in whole seconds and at least one.
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    pub(crate) fn invalid(fields: Vec<FieldProblem>) -> Self {
        let detail = "fields of the request do not fit; see errors";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-request",
            "invalid request",
            detail,
        )
        .with_fields(fields)
    }

    pub(crate) fn malformed(detail: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-body",
            "malformed body",
            detail,
        )
    }

    pub(crate) fn key(detail: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key",
            "no usable idempotency key",
            detail,
        )
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "send `Content-Type: application/json`, in UTF-8";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            "unsupported content type",
            detail,
        )
    }

    pub(crate) fn unavailable(what: &'static str, detail: &'static str, after: Duration) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            what,
            "temporarily unavailable",
            detail,
        )
        .retry_after(after)
    }

    pub(crate) fn too_large() -> Self {
        let detail = "the body is larger than 64 KiB";
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "body too large",
            detail,
        )
    }

    pub(crate) fn slow_body() -> Self {
        let detail = "the body did not arrive in time; nothing was done";
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow-body",
            "the body took too long",
            detail,
        )
    }

    pub(crate) fn redis() -> Self {
        let detail = "what keeps requests from being done twice is not available; nothing was done, \
                      send the request again";
        Self::unavailable("redis", detail, SOON)
    }

    pub(crate) fn ending() -> Self {
        let detail = "the server ends; nothing was done, send the request again with the same key";
        Self::unavailable("ending", detail, Duration::from_secs(1))
    }

    pub(crate) fn overloaded() -> Self {
        let detail = "the server has as much to do as it can take; nothing was done, send the \
                      request again";
        Self::unavailable("overloaded", detail, Duration::from_secs(1))
    }

    pub(crate) fn too_many(after: Duration) -> Self {
        let detail = "these are too many requests in a short time; send it again later";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limit",
            "too many requests",
            detail,
        )
        .retry_after(after)
    }

    pub(crate) fn busy(after: Duration) -> Self {
        let detail = "the first request with this key is still at work; send it again with the \
                      same key for its answer";
        Self::new(StatusCode::CONFLICT, "in-progress", "still at work", detail).retry_after(after)
    }

    pub(crate) fn key_reused() -> Self {
        let detail = "this key was used for another request; use a new one for each new request";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "the key stands for another request",
            detail,
        )
    }

    pub(crate) fn session() -> Self {
        let detail = "this session_id is none of this user, or its conversation is over; leave it \
                      out to begin a new one";
        Self::new(StatusCode::FORBIDDEN, "session", "no such session", detail)
    }

    pub(crate) fn of_gate(error: &GateError) -> Self {
        let cause: &dyn std::error::Error = error;
        tracing::warn!(target: "tria::chat", error = cause, "a request could not be claimed");
        Self::redis()
    }

    pub(crate) fn of_answer(error: &AnswerError) -> Self {
        match error {
            AnswerError::Session => Self::session(),
            AnswerError::KeyTaken => Self::key_reused(),
            AnswerError::Contended => Self::busy(Duration::from_secs(1)),
            AnswerError::NoSuchOutlet => {
                let detail = "there is no outlet with this id that is delivered to";
                Self::invalid(vec![FieldProblem::new("outlet_id", detail)])
            }
            AnswerError::NoSuchOutletName => {
                let detail = "no outlet that is delivered to has this name";
                Self::invalid(vec![FieldProblem::new("outlet_name", detail)])
            }
            AnswerError::OutOfTime(_) => {
                let detail = "the answer took too long and was given up; nothing was done, send \
                              the request again";
                Self::unavailable("timeout", detail, SOON)
            }
            AnswerError::Model(error) => {
                let detail = "the language model gives no answer; nothing was done, send the \
                              request again";
                Self::unavailable("model", detail, error.retry_after().unwrap_or(SOON))
            }
            AnswerError::Retrieval(_) => {
                let detail = "the knowledge cannot be searched; nothing was done, send the \
                              request again";
                Self::unavailable("vector-store", detail, SOON)
            }
            AnswerError::Database(_) | AnswerError::Turn(_) => {
                let detail = "the database gives no answer; send the request again with the same \
                              key: if it was done, you get its answer";
                Self::unavailable("database", detail, SOON)
            }
        }
    }

    pub(crate) fn internal() -> Self {
        let detail = "the server failed; the same request may be sent again";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "internal error",
            detail,
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> &[FieldProblem] {
        &self.fields
    }

    /// The document about this request.
    pub(crate) fn document(&self, request_id: Uuid) -> ProblemDocument {
        ProblemDocument {
            kind: format!("urn:tria:problem:{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            request_id,
            errors: self.fields.clone(),
        }
    }

    /// The answer to this request.
    pub(crate) fn response(&self, request_id: Uuid) -> Response {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        (self.status, headers, Json(self.document(request_id))).into_response()
    }
}

/// Rounded up, and at least one: zero means "at once".
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    let more = u64::from(duration.subsec_nanos() > 0);
    (duration.as_secs() + more).max(1)
}

// === impl FieldProblem ===

impl FieldProblem {
    /// About the field of this name.
    pub(crate) fn new(name: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_the_name() {
        assert_eq!(FieldProblem::new("a/b~c", "").pointer, "/a~1b~0c");
    }

    #[test]
    fn the_time_to_wait_is_whole_and_never_none() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (4_500, 5)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }

    #[test]
    fn a_document_says_what_who_and_when_again() {
        let id = Uuid::new_v4();
        let problem =
            Problem::unavailable("model", "the model does not answer", Duration::from_secs(3));
        let response = problem.response(id);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "3");
        let document = serde_json::to_value(problem.document(id)).unwrap();
        assert_eq!(document["type"], "urn:tria:problem:model");
        assert_eq!(document["request_id"], id.to_string());
        assert!(document.get("errors").is_none());
    }
}
