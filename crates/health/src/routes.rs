//! The probes' paths.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::util::MapResponseLayer;
use tria_check::{CheckMeta, Group};

use crate::{
    HealthState, diagnostics, fresh, health_json,
    negotiation::Shape,
    probe::{self, Liveness, Startup},
    problem,
    state::Shared,
    status_page,
};

/// The probes, to be merged into a service's own router:
///
/// | path | answer |
/// | --- | --- |
/// | `/health` | the checks by service: 200, or 503 when unhealthy |
/// | `/livez`, `/api/v1/health/liveness` | 200 in every phase; 503 while a task of the process is stuck |
/// | `/readyz`, `/api/v1/health/readiness` | the checks, the phase and the machine's numbers: 200, or 503 when unhealthy or not in the phase Ready |
/// | `/startupz`, `/api/v1/health/startup` | the start's phases: 503 until the start is complete |
/// | `/api/v1/health/diagnostics` | everything that is known, for those who have [`crate::Access`]; 401 for others |
/// | `/status` | a page for people, always 200: what the probes tell, and for those who have access what lies behind it |
///
/// They answer to GET and HEAD, and to every other method with 405; nothing of them may be
/// stored by a cache, and every 503 carries `Retry-After`. A fallback for 405 that the service
/// sets after merging holds for these paths too.
///
/// Who has access may add `?fresh=1` to `/health` and `/readyz`: the checks are run before the
/// answer is given, once for any number of callers and at most once a second. `?deep=1` does the
/// same for every check of the diagnostics, a new login to each dependency included.
///
/// `Accept: application/health+json` gets `/health`, `/readyz` and `/livez` in the shape of
/// draft-inadarei-api-health-check-06.
pub fn routes(state: HealthState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/livez", get(liveness))
        .route("/readyz", get(readiness))
        .route("/startupz", get(startup))
        .route("/api/v1/health/liveness", get(liveness))
        .route("/api/v1/health/readiness", get(readiness))
        .route("/api/v1/health/startup", get(startup))
        .route("/api/v1/health/diagnostics", get(diagnose))
        .route("/status", get(show))
        .layer(MapResponseLayer::new(no_store))
        .with_state(state)
}

async fn health(State(state): State<HealthState>, request: Request) -> Response {
    let (asked, _no_body) = request.into_parts();
    match refreshed_if_asked(&state.shared, &asked).await {
        Ok(()) => probe::summary(&state.shared, Shape::wanted(&asked.headers)),
        Err(refused) => refused,
    }
}

async fn readiness(State(state): State<HealthState>, request: Request) -> Response {
    let (asked, _no_body) = request.into_parts();
    match refreshed_if_asked(&state.shared, &asked).await {
        Ok(()) => probe::readiness(&state.shared, Shape::wanted(&asked.headers)),
        Err(refused) => refused,
    }
}

async fn liveness(State(state): State<HealthState>, request: Request) -> Response {
    let verdict = Liveness::now(&state.shared);
    match Shape::wanted(request.headers()) {
        Shape::Json => verdict.into_response(),
        shape @ Shape::HealthJson => {
            let version = &state.shared.version;
            health_json::Document::of_liveness(verdict, version).to_response(shape)
        }
    }
}

async fn startup(State(state): State<HealthState>) -> Response {
    Startup::now(&state.shared).into_response()
}

async fn diagnose(State(state): State<HealthState>, request: Request) -> Response {
    let (asked, _no_body) = request.into_parts();
    let shared = &state.shared;
    if let Err(refused) = shared.access.judge(&asked.headers) {
        return problem::unauthorized(refused.detail());
    }
    if (asks_for(&asked, "deep") || asks_for(&asked, "fresh"))
        && let Err(refused) = refresh(shared, &asked.headers, is_of_diagnostics).await
    {
        return refused;
    }
    Json(diagnostics::document(shared)).into_response()
}

async fn show(State(state): State<HealthState>, headers: HeaderMap) -> Response {
    status_page::answer(&state.shared, &headers)
}

/// Whether the query has this switch on, as in `?fresh=1`.
fn asks_for(asked: &Parts, switch: &str) -> bool {
    let pairs = asked.uri.query().unwrap_or_default().split('&');
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == switch).then_some(value));
    matches!(value, Some("1" | "true"))
}

async fn refreshed_if_asked(shared: &Shared, asked: &Parts) -> Result<(), Response> {
    if asks_for(asked, "fresh") {
        return refresh(shared, &asked.headers, is_of_readiness).await;
    }
    Ok(())
}

/// Runs checks for whoever may ask for it.
async fn refresh(
    shared: &Shared,
    headers: &HeaderMap,
    wanted: fn(&CheckMeta) -> bool,
) -> Result<(), Response> {
    if let Err(refused) = shared.access.judge(headers) {
        return Err(problem::unauthorized(refused.detail()));
    }
    let Some(runner) = &shared.runner else {
        return Err(problem::cannot_run());
    };
    fresh::refresh(runner, &shared.snapshot, wanted).await;
    Ok(())
}

fn is_of_readiness(meta: &CheckMeta) -> bool {
    meta.is_in(Group::Readiness)
}

fn is_of_diagnostics(meta: &CheckMeta) -> bool {
    meta.is_in(Group::Readiness) || meta.is_in(Group::Diagnostics) || meta.is_in(Group::Liveness)
}

fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
