//! The probes' paths.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use crate::{
    HealthState,
    probe::{Liveness, Readiness, Startup, Summary, Verdict},
};

/// The probes, to be merged into a service's own router:
///
/// | path | answer |
/// | --- | --- |
/// | `/health` | the checks by service: 200, or 503 when unhealthy |
/// | `/livez`, `/api/v1/health/liveness` | 200 in every phase |
/// | `/readyz`, `/api/v1/health/readiness` | the checks, the phase and the machine's numbers: 200, or 503 when unhealthy or not in the phase Ready |
/// | `/startupz`, `/api/v1/health/startup` | the start's phases: 503 until the start is complete |
///
/// They answer to GET and HEAD, and to every other method with 405; nothing of them may be
/// stored by a cache, and every 503 carries `Retry-After`. A fallback for 405 that the service
/// sets after merging holds for these paths too.
pub fn routes(state: HealthState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/livez", get(liveness))
        .route("/readyz", get(readiness))
        .route("/startupz", get(startup))
        .route("/api/v1/health/liveness", get(liveness))
        .route("/api/v1/health/readiness", get(readiness))
        .route("/api/v1/health/startup", get(startup))
        .layer(map_response(no_store))
        .with_state(state)
}

async fn health(State(state): State<HealthState>) -> Response {
    Summary::now(&state.shared).into_response()
}

async fn liveness(State(state): State<HealthState>) -> Json<Liveness> {
    Json(Liveness::now(&state.shared))
}

async fn readiness(State(state): State<HealthState>) -> Response {
    Readiness::now(&state.shared).into_response()
}

async fn startup(State(state): State<HealthState>) -> Response {
    Startup::now(&state.shared).into_response()
}

async fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

// === impl Verdict ===

impl<B: Serialize> IntoResponse for Verdict<B> {
    fn into_response(self) -> Response {
        let Some(after) = self.retry_after else {
            return Json(self.body).into_response();
        };
        // Whole seconds, rounded up; at least one, or a client would hammer.
        let seconds = after.as_millis().div_ceil(1_000).max(1).to_string();
        let headers = [(header::RETRY_AFTER, seconds)];
        (StatusCode::SERVICE_UNAVAILABLE, headers, Json(self.body)).into_response()
    }
}
