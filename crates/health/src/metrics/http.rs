//! Counts and times requests.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Instant,
};

use arc_swap::ArcSwap;
use axum::{
    extract::MatchedPath,
    http::{Method, Request, Response, StatusCode},
};
use metrics::{Counter, Histogram};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{Metrics, REQUEST_SECONDS, REQUESTS, label};

/// The route of a request that no route matched. Its path would be a label that strangers write
/// (BerriAI/litellm#35666).
const NO_ROUTE: &str = "none";

/// The methods that have a label of their own; the last one stands for all others.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "other",
];

/// The status of a request whose client did not wait for the answer. No answer has it; nginx made
/// it the custom.
const GONE: u16 = 499;

/// Counts and times the requests of a router; made by [`Metrics::http_layer`].
#[derive(Clone, Debug)]
pub struct HttpLayer {
    metrics: Metrics,
}

/// A service whose requests are counted and timed.
#[derive(Clone, Debug)]
pub struct HttpMetrics<S> {
    inner: S,
    metrics: Metrics,
}

pin_project! {
    /// An answer on its way.
    pub struct Answering<F> {
        #[pin]
        answer: F,
        request: Open,
    }
}

/// The series of all routes that were asked. They are made once; from then on a request looks
/// them up without a lock.
#[derive(Default)]
pub(super) struct Routes {
    by_name: ArcSwap<HashMap<String, Arc<Route>>>,
}

struct Route {
    name: String,
    methods: [OnceLock<Series>; METHODS.len()],
}

/// The series of one route and method.
struct Series {
    seconds: Histogram,
    by_status: ArcSwap<Vec<(u16, Counter)>>,
}

/// A request that has no answer yet.
struct Open {
    metrics: Metrics,
    route: Arc<Route>,
    method: usize,
    begun: Instant,
    is_answered: bool,
}

// === impl HttpLayer ===

impl HttpLayer {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpMetrics<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let metrics = self.metrics.clone();
        HttpMetrics { inner, metrics }
    }
}

// === impl HttpMetrics ===

impl<S, B, C> Service<Request<B>> for HttpMetrics<S>
where
    S: Service<Request<B>, Response = Response<C>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or(NO_ROUTE, MatchedPath::as_str);
        let open = Open {
            route: self.metrics.shared.routes.get(route),
            metrics: self.metrics.clone(),
            method: place_of(request.method()),
            begun: Instant::now(),
            is_answered: false,
        };
        Answering {
            answer: self.inner.call(request),
            request: open,
        }
    }
}

// === impl Answering ===

impl<F, C> Future for Answering<F>
where
    F: Future<Output = Result<Response<C>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(answer) = ready!(this.answer.poll(cx));
        this.request.is_answered = true;
        this.request.count(answer.status().as_u16());
        Poll::Ready(Ok(answer))
    }
}

impl<F> fmt::Debug for Answering<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

// === impl Routes ===

impl Routes {
    fn get(&self, name: &str) -> Arc<Route> {
        if let Some(known) = self.by_name.load().get(name) {
            return Arc::clone(known);
        }
        let new = Arc::new(Route::new(name));
        let mut kept = Arc::clone(&new);
        self.by_name.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            let known = routes.entry(name.to_owned());
            kept = Arc::clone(known.or_insert_with(|| Arc::clone(&new)));
            routes
        });
        kept
    }
}

// === impl Route ===

impl Route {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            methods: [const { OnceLock::new() }; METHODS.len()],
        }
    }
}

/// Where a method stands among [`METHODS`].
fn place_of(method: &Method) -> usize {
    let known = METHODS.iter().position(|name| *name == method.as_str());
    known.unwrap_or(METHODS.len() - 1)
}

// === impl Series ===

impl Series {
    fn new(metrics: &Metrics, route: &Route, method: usize) -> Self {
        let labels = vec![
            label("route", &route.name),
            label("method", METHODS[method]),
        ];
        Self {
            seconds: metrics.histogram(REQUEST_SECONDS, labels),
            by_status: ArcSwap::default(),
        }
    }

    fn count(&self, metrics: &Metrics, route: &Route, method: usize, status: u16) {
        let known = self.by_status.load();
        if let Some((_, counter)) = known.iter().find(|(known, _)| *known == status) {
            counter.increment(1);
            return;
        }
        let labels = vec![
            label("route", &route.name),
            label("method", METHODS[method]),
            label("status", &status.to_string()),
        ];
        let counter = metrics.counter(REQUESTS, labels);
        counter.increment(1);
        self.by_status.rcu(|known| {
            // Of two first requests at once both counted, on one counter.
            let others = known.iter().filter(|(known, _)| *known != status);
            let mut known: Vec<_> = others.cloned().collect();
            known.push((status, counter.clone()));
            known
        });
    }
}

// === impl Open ===

impl Open {
    fn count(&self, status: u16) {
        let series = self.route.methods[self.method]
            .get_or_init(|| Series::new(&self.metrics, &self.route, self.method));
        series.count(&self.metrics, &self.route, self.method, status);
        self.metrics.time(&series.seconds, self.begun.elapsed());
    }
}

impl Drop for Open {
    /// The requests that clients give up are the slow ones; without them a slow service looks
    /// fast.
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let status = if std::thread::panicking() {
            StatusCode::INTERNAL_SERVER_ERROR.as_u16()
        } else {
            GONE
        };
        self.count(status);
    }
}
