//! The path that Prometheus asks.

use axum::{
    Router,
    extract::State,
    http::{HeaderName, header},
    routing::get,
};

use super::{Metrics, Scrape, page::Page};

/// `GET /metrics`, to be merged into a service's own router: what `metrics` has counted and what
/// `scrape` sees now, in Prometheus' text format.
///
/// It answers 200 in every phase and whatever the checks say, because Prometheus drops what comes
/// with any other status (Xabaril/AspNetCore.Diagnostics.HealthChecks#644). It answers to HEAD
/// too, and nothing of it may be stored by a cache.
pub fn metrics_routes(metrics: &Metrics, scrape: Scrape) -> Router {
    for check in scrape.checks() {
        metrics.expect_check(&check);
    }
    Router::new()
        .route("/metrics", get(tell))
        .with_state((metrics.clone(), scrape))
}

async fn tell(
    State((metrics, scrape)): State<(Metrics, Scrape)>,
) -> ([(HeaderName, &'static str); 2], String) {
    let mut page = Page::default();
    scrape.write(&mut page);
    page.append(&metrics.shared.handle.render());
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page.into_text())
}
