//! `POST /api/chatbot`: a message, and its answer in one piece.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{
    body,
    problem::Problem,
    reception::{Admitted, Arrival, Given, Notes, Reception},
};
use crate::assistant::Told;

/// On an answer that was given before, and is given again.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a message.
#[utoipa::path(
    post,
    path = "/api/chatbot",
    tag = "chat",
    params(super::openapi::KeyHeader),
    request_body = super::openapi::ChatRequestBody,
    responses(
        (status = 200, description = "The answer", body = crate::assistant::Answer, headers(
            ("Idempotent-Replayed" = String, description = "`true` on an answer that is given again"),
        )),
        super::openapi::Problems,
    ),
)]
pub(super) async fn chat(State(reception): State<Arc<Reception>>, request: Request) -> Response {
    let mut call = match Call::receive(&reception, request).await {
        Ok(call) => call,
        Err(response) => return response,
    };
    let answered = match call.admit(&reception, None).await {
        Ok(Admitted::Replay(answer)) => Ok(Given {
            answer,
            again: true,
        }),
        Ok(Admitted::Begun(answer)) => match answer.await {
            Ok(answered) => answered,
            // The task panicked, which was logged, and its claim is free again.
            Err(_) => Err(Problem::internal()),
        },
        Err(problem) => Err(problem),
    };
    let response = match answered {
        Ok(given) => stored(given),
        Err(problem) => problem.response(call.request_id),
    };
    call.finish(response)
}

/// A request whose body was read.
pub(super) struct Call {
    pub(super) request_id: Uuid,
    begun: Instant,
    pub(super) parts: Parts,
    body: axum::body::Bytes,
    notes: Notes,
}

// === impl Call ===

impl Call {
    /// Reads the body, bounded in size and time.
    pub(super) async fn receive(reception: &Reception, request: Request) -> Result<Self, Response> {
        let (request_id, begun) = (Uuid::new_v4(), Instant::now());
        let (parts, body) = request.into_parts();
        let within = reception.options.body_within;
        let body = match body::read(&parts.headers, body, within).await {
            Ok(body) => body,
            Err(problem) => {
                let mut response = problem.response(request_id);
                mark(&mut response, request_id);
                return Err(response);
            }
        };
        Ok(Self {
            request_id,
            begun,
            parts,
            body,
            notes: Notes::default(),
        })
    }

    /// Brings it to the reception.
    pub(super) async fn admit(
        &mut self,
        reception: &Arc<Reception>,
        listener: Option<tokio::sync::mpsc::UnboundedSender<Told>>,
    ) -> Result<Admitted, Problem> {
        let peer = self.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let arrival = Arrival {
            request_id: self.request_id,
            begun: self.begun,
            // A server that does not tell it counts everybody together.
            peer: peer.map_or([0, 0, 0, 0].into(), |ConnectInfo(peer)| peer.ip()),
            headers: &self.parts.headers,
            body: &self.body,
        };
        reception.admit(arrival, listener, &mut self.notes).await
    }

    /// Puts on an answer what every answer carries.
    pub(super) fn finish(&self, mut response: Response) -> Response {
        self.notes.write(response.headers_mut());
        mark(&mut response, self.request_id);
        response
    }
}

fn stored(Given { answer, again }: Given) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let kind = HeaderValue::from_str(&answer.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/json"));
    let mut response = (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response();
    if again {
        let value = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, value);
    }
    response
}

fn mark(response: &mut Response, request_id: Uuid) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    // Answers are somebody's own.
    let store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, store);
}
