//! One request: from its head to the last byte of its answer.

use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderValue},
    http::Extensions,
};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::ServiceExt;

use super::{connection::Connection, core::Core};
use crate::PanicMessage;

/// What a server needs of a service; every [`tower::Service`] that answers requests is one.
pub(super) trait Service: Clone + Send + 'static {
    type Body: Body<Data: Send, Error: Into<BoxError>> + Send + 'static;
    type Error: Into<BoxError>;

    fn answer(
        self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Self::Body>, Self::Error>> + Send;
}

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Puts something made of the peer's address into a request.
pub(super) type Introduce = Arc<dyn Fn(SocketAddr, &mut Extensions) + Send + Sync>;

/// Where the requests of one connection come in.
pub(super) struct Door<S> {
    core: Arc<Core>,
    connection: Arc<Connection>,
    service: S,
    introduce: Option<Introduce>,
}

/// A request in flight. Its end is noted when this is dropped.
struct InFlight {
    core: Arc<Core>,
    connection: Arc<Connection>,
    number: u64,
    answer: AnswerState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerState {
    /// There is none yet.
    Awaited,
    /// Its head is with hyper.
    Begun,
    /// All of it is with hyper.
    Complete,
}

pin_project! {
    /// The body of an answer, which keeps its request in flight.
    pub(super) struct Answer<B> {
        #[pin]
        body: Option<B>,
        in_flight: InFlight,
    }
}

// === impl Service ===

impl<S, B> Service for S
where
    S: tower::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Body = B;
    type Error = S::Error;

    async fn answer(self, request: Request<Incoming>) -> Result<Response<B>, S::Error> {
        self.oneshot(request).await
    }
}

// === impl Door ===

impl<S> Door<S> {
    pub(super) fn new(
        core: Arc<Core>,
        connection: Arc<Connection>,
        service: S,
        introduce: Option<Introduce>,
    ) -> Self {
        Self {
            core,
            connection,
            service,
            introduce,
        }
    }
}

impl<S: Service> hyper::service::Service<Request<Incoming>> for Door<S> {
    type Response = Response<Answer<S::Body>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let is_http2 = request.version() == Version::HTTP_2;
        let is_head = request.method() == Method::HEAD;
        let mut in_flight = InFlight::begin(&self.core, &self.connection, is_http2);
        let extensions = request.extensions_mut();
        extensions.insert(self.core.signal.clone());
        if let Some(introduce) = &self.introduce {
            introduce(self.connection.peer, extensions);
        }
        let service = self.service.clone();
        Box::pin(async move {
            let answer = AssertUnwindSafe(service.answer(request)).catch_unwind();
            let (mut head, body) = match answer.await {
                Ok(answer) => {
                    let (head, body) = answer?.into_parts();
                    (head, Some(body))
                }
                Err(payload) => {
                    let panic = PanicMessage::from_payload(&*payload);
                    tracing::error!(%panic, "handler panicked");
                    let (mut head, ()) = Response::new(()).into_parts();
                    head.status = StatusCode::INTERNAL_SERVER_ERROR;
                    (head, None)
                }
            };
            // What follows on a connection that is handed over is no request of ours.
            let stays_http = head.status != StatusCode::SWITCHING_PROTOCOLS;
            if !is_http2 && stays_http && in_flight.core.sends_away() {
                head.headers
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            // hyper never asks for the end of a body that it does not send.
            in_flight.answer = if is_head {
                AnswerState::Complete
            } else {
                AnswerState::Begun
            };
            Ok(Response::from_parts(head, Answer { body, in_flight }))
        })
    }
}

// === impl InFlight ===

impl InFlight {
    fn begin(core: &Arc<Core>, connection: &Arc<Connection>, is_http2: bool) -> Self {
        core.tally.begun();
        let number = connection.manners().begin(is_http2, Instant::now());
        Self {
            core: Arc::clone(core),
            connection: Arc::clone(connection),
            number,
            answer: AnswerState::Awaited,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut manners = self.connection.manners();
        let is_answered = match self.answer {
            AnswerState::Awaited => false,
            // On HTTP/1 hyper drops a body early only when it has all that it announced, or when
            // it gives up the connection.
            AnswerState::Begun => !manners.is_http2(),
            AnswerState::Complete => true,
        };
        let is_abandoned = manners.end(self.number, is_answered, Instant::now());
        self.core.tally.abandoned(usize::from(is_abandoned));
    }
}

// === impl Answer ===

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(mut body) = this.body.as_pin_mut() else {
            this.in_flight.answer = AnswerState::Complete;
            return Poll::Ready(None);
        };
        let frame = ready!(body.as_mut().poll_frame(cx));
        if frame.is_none() || body.is_end_stream() {
            this.in_flight.answer = AnswerState::Complete;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl<B> fmt::Debug for Answer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
