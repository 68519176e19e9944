//! The path that Prometheus asks.

use axum::{
    Router,
    extract::State,
    http::{HeaderName, header},
    routing::get,
};

use super::{Metrics, page::Page, scrape::Scrape};
use crate::HealthState;

/// `GET /metrics`, to be merged into a service's own router: what `metrics` has counted and what
/// the probes see now, in Prometheus' text format.
///
/// It answers 200 in every phase and whatever the checks say, because Prometheus drops what comes
/// with any other status (Xabaril/AspNetCore.Diagnostics.HealthChecks#644). It answers to HEAD
/// too, and nothing of it may be stored by a cache.
pub fn metrics_routes(metrics: &Metrics, state: HealthState) -> Router {
    for reading in state.shared.snapshot.all() {
        metrics.expect_check(reading.meta().name());
    }
    Router::new()
        .route("/metrics", get(tell))
        .with_state((metrics.clone(), state))
}

async fn tell(
    State((metrics, state)): State<(Metrics, HealthState)>,
) -> ([(HeaderName, &'static str); 2], String) {
    let mut page = Page::default();
    Scrape(&state.shared).write(&mut page);
    page.append(&metrics.shared.handle.render());
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page.into_text())
}
