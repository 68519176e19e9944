//! Requests are counted by what the router knows, never by what a stranger writes.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
    routing::{get, post},
};
use tokio::time::sleep;
use tower::ServiceExt;

use super::{page::Page, service::Service};
use crate::rig::{ask, meta};

const REQUESTS: &str = "tria_http_requests_total";
const SECONDS: &str = "tria_http_request_duration_seconds";

/// A router whose requests the metrics of `service` count.
fn counted(service: &Service, router: Router) -> Router {
    router
        .merge(service.router.clone())
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(service.metrics.http_layer())
}

fn requests(page: &Page, route: &str, method: &str, status: &str) -> Option<f64> {
    let labels = [("route", route), ("method", method), ("status", status)];
    page.value(REQUESTS, &labels)
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status() {
    let service = Service::of([meta("redis")]);
    let teapot = async || StatusCode::IM_A_TEAPOT;
    let chat = Router::new().route("/{session}", get(teapot).post(async || "hi"));
    let router = counted(&service, Router::new().nest("/chat", chat));
    for (method, path, times) in [
        (Method::GET, "/chat/1", 2),
        (Method::GET, "/chat/2?page=3", 1),
        (Method::POST, "/chat/3", 1),
        (Method::DELETE, "/chat/4", 1),
        (Method::GET, "/readyz", 1),
        (Method::HEAD, "/livez", 1),
    ] {
        for _ in 0..times {
            ask(&router, method.clone(), path).await;
        }
    }
    let page = service.scrape().await;
    for (route, method, status, count) in [
        ("/chat/{session}", "GET", "418", 3.0),
        ("/chat/{session}", "POST", "200", 1.0),
        ("/chat/{session}", "DELETE", "405", 1.0),
        ("/readyz", "GET", "503", 1.0),
        ("/livez", "HEAD", "200", 1.0),
    ] {
        let told = requests(&page, route, method, status);
        assert_eq!(told, Some(count), "{route} {method} {status}");
    }
    assert_eq!(page.samples_of(REQUESTS).count(), 5);
}

/// BerriAI/litellm#35666, artifact-keeper/artifact-keeper#2220: what scanners ask for became
/// 400,000 series.
#[tokio::test]
async fn paths_and_methods_of_strangers_make_no_series() {
    let service = Service::of([meta("redis")]);
    let router = counted(&service, Router::new().route("/files/{*path}", get("")));
    for number in 0..200 {
        for path in [
            format!("/wp-admin/{number}.php"),
            format!("/files/a/{number}/../etc"),
            format!("/livez/{number}"),
            format!("/readyz?{number}"),
        ] {
            let method = Method::from_bytes(format!("SCAN{number}").as_bytes()).unwrap();
            for method in [Method::GET, Method::TRACE, method] {
                ask(&router, method, &path).await;
            }
        }
    }
    let page = service.scrape().await;
    for name in [REQUESTS, &format!("{SECONDS}_count")] {
        let told = |label| page.values_of(name, label);
        let expected = |values: &[&str]| {
            let values = values.iter().map(ToString::to_string);
            values.collect::<BTreeSet<_>>()
        };
        assert_eq!(
            told("route"),
            expected(&["/files/{*path}", "/readyz", "none"])
        );
        assert_eq!(told("method"), expected(&["GET", "TRACE", "other"]));
        assert_eq!(page.samples_of(name).count(), 9);
    }
    assert_eq!(requests(&page, "none", "GET", "404"), Some(400.0));
    assert_eq!(requests(&page, "/readyz", "other", "405"), Some(200.0));
}

#[tokio::test(start_paused = true)]
async fn answers_are_timed() {
    let service = Service::of([meta("redis")]);
    let quick = get(async || "");
    let router = counted(&service, Router::new().route("/quick", quick));
    for _ in 0..3 {
        ask(&router, Method::GET, "/quick").await;
    }
    let page = service.scrape().await;
    assert_eq!(page.kinds[SECONDS], "histogram");
    let labels = [("route", "/quick"), ("method", "GET")];
    let count = page.value(&format!("{SECONDS}_count"), &labels);
    assert_eq!(count, Some(3.0));
    let sum = page.value(&format!("{SECONDS}_sum"), &labels).unwrap();
    assert!(sum > 0.0 && sum < 3.0, "{sum}");
    let labels = [labels[0], labels[1], ("le", "60")];
    assert_eq!(page.value(&format!("{SECONDS}_bucket"), &labels), Some(3.0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_wait_is_counted() {
    let service = Service::of([meta("redis")]);
    let slow = post(async || sleep(Duration::from_secs(60)).await);
    let router = counted(&service, Router::new().route("/slow", slow));
    let request = Request::post("/slow").body(Body::empty()).unwrap();
    let answer = router.oneshot(request);
    let waited = tokio::time::timeout(Duration::from_secs(5), answer).await;
    assert!(waited.is_err());
    let page = service.scrape().await;
    assert_eq!(requests(&page, "/slow", "POST", "499"), Some(1.0));
    let labels = [("route", "/slow"), ("method", "POST")];
    let count = page.value(&format!("{SECONDS}_count"), &labels);
    assert_eq!(count, Some(1.0));
}

#[tokio::test]
async fn a_panic_while_answering_is_counted_as_500() {
    let service = Service::of([meta("redis")]);
    let planted = get(async || -> StatusCode { panic!("planted") });
    let router = counted(&service, Router::new().route("/bug", planted));
    let asked = tokio::spawn(async move { ask(&router, Method::GET, "/bug").await });
    assert!(asked.await.is_err_and(|error| error.is_panic()));
    let page = service.scrape().await;
    assert_eq!(requests(&page, "/bug", "GET", "500"), Some(1.0));
}

/// Two services in one process, as tests have them, do not count into each other.
#[tokio::test]
async fn metrics_of_one_process_are_apart() {
    let (one, other) = (Service::of([meta("redis")]), Service::of([meta("redis")]));
    let router = counted(&one, Router::new());
    ask(&router, Method::GET, "/livez").await;
    let told = |page: &Page| requests(page, "/livez", "GET", "200");
    assert_eq!(told(&one.scrape().await), Some(1.0));
    assert_eq!(told(&other.scrape().await), None);
}
