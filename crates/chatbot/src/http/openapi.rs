//! The description of the application for programs, and a page that shows it to people.

use axum::Router;
use serde::Serialize;
use utoipa::{IntoParams, IntoResponses, OpenApi, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{FieldProblem, ProblemDocument, chat, stream};
use crate::{
    assistant::{Answer, Citation, Mode, TimelineStep},
    intent::Intent,
};

/// The routes of the description: `/openapi.json`, and `/docs` which needs nothing from elsewhere.
pub(super) fn routes() -> Router {
    // What the page would send to a service that validates descriptions stays here.
    let config = Config::default()
        .validator_url("none")
        .try_it_out_enabled(true);
    SwaggerUi::new("/docs")
        .config(config)
        .url("/openapi.json", Description::openapi())
        .into()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tria",
        description = "A chatbot that answers from what the company has written down, and takes \
            orders. Each request has a key: the same request with the same key is done once, and \
            answered the same for 24 hours.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(chat::chat, stream::stream),
    components(schemas(
        Answer,
        ChatRequestBody,
        Citation,
        FieldProblem,
        Intent,
        Mode,
        ProblemDocument,
        StreamEvent,
        TimelineStep,
    )),
    tags((name = "chat", description = "Messages and their answers")),
)]
struct Description;

/// A message of a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatRequestBody {
    /// What the customer says; of control characters it may hold tabs and line breaks.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$",
        example = "20 packs of 12 inch kraft pizza boxes for Napoli Express"
    )]
    message: String,
    /// Who says it, as the caller knows the customer. Without it the customer is a guest, known by
    /// the session alone.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$",
        example = "customer-17"
    )]
    user_id: Option<String>,
    /// The conversation that this goes on with, as an answer of it named it.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
    )]
    session_id: Option<String>,
    /// The outlet that it is about.
    #[schema(minimum = 1)]
    outlet_id: Option<i64>,
    /// The outlet that it is about, by its name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$",
        example = "Napoli Express"
    )]
    outlet_name: Option<String>,
    /// In which language the customer is answered; BCP 47. Fixed texts are English.
    #[schema(pattern = r"^[a-z]{2}(-[A-Z]{2})?$", example = "en")]
    language: Option<String>,
}

/// An event of a stream.
#[derive(Serialize, ToSchema)]
pub(super) struct StreamEvent {
    /// `step`, `token`, `citations`, then `done`, `error` or `shutdown`.
    event: String,
    /// JSON: a step, `{"text"}`, the citations, the answer, or a problem.
    data: String,
    /// Of a `token`: how many characters of the message there are up to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// The key of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct KeyHeader {
    /// New for each new request and the same for each repetition; visible ASCII.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = r"^[\x21-\x7e]+$",
        example = "order-2026-0001"
    )]
    #[allow(dead_code, reason = "it only describes")]
    idempotency_key: String,
}

/// Where a stream broke off.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct LastEventId {
    /// The id of the last `token` that the client has; what comes before it is left out. What is no
    /// number counts as none.
    #[param(rename = "Last-Event-ID", required = false)]
    #[allow(dead_code, reason = "it only describes")]
    last_event_id: Option<String>,
}

/// Why a request gets no answer.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "it only describes")]
pub(super) enum Problems {
    /// No JSON object, or no usable key.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemDocument),
    /// The session is none of this user, or over.
    #[response(status = 403, content_type = "application/problem+json")]
    Session(#[to_schema] ProblemDocument),
    /// The body took too long to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    SlowBody(#[to_schema] ProblemDocument),
    /// The first request with this key is still at work; `Retry-After` tells when to ask again.
    #[response(status = 409, content_type = "application/problem+json")]
    InProgress(#[to_schema] ProblemDocument),
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemDocument),
    /// The body is not sent as JSON in UTF-8.
    #[response(status = 415, content_type = "application/problem+json")]
    ContentType(#[to_schema] ProblemDocument),
    /// Fields do not fit, or the key stands for another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemDocument),
    /// Too many requests; `Retry-After` tells when to come again.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] ProblemDocument),
    /// The server failed.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] ProblemDocument),
    /// Something that is needed is away, or there is too much to do; `Retry-After` tells when to
    /// come again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDocument),
}
