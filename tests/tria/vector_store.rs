//! ChromaDB, stopped and broken.

use std::time::Duration;

use serde_json::json;
use tria_tests::{ClosedPort, Fixture};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{path, path_regex},
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    fixture.set("CHROMA_URL", port.url(""));
    let ended = fixture.run(&["serve"]);
    ended.expect(75, &["chromadb:", "[connect_refused]", "remedy:"]);
    assert!(
        ended.elapsed >= 2 * SECOND,
        "it did not wait until the deadline"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_old() {
    let server = MockServer::start().await;
    let beat = ResponseTemplate::new(200).set_body_json(json!({"nanosecond heartbeat": 1}));
    Mock::given(path("/api/v1/heartbeat"))
        .respond_with(beat)
        .mount(&server)
        .await;
    let none = ResponseTemplate::new(404).set_body_json(json!({"detail": "Not Found"}));
    Mock::given(path_regex("^/api/v2/"))
        .respond_with(none)
        .mount(&server)
        .await;
    let mut fixture = Fixture::migrated().await;
    fixture.set("CHROMA_URL", server.uri());
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["chromadb:", "[server_too_old]", "remedy:"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_collections() {
    let fixture = Fixture::empty().await;
    let ended = fixture.run(&["serve"]);
    let both = ["tria_knowledge", "tria_products"];
    ended.expect(
        69,
        &[
            "chromadb:",
            "[collection_missing]",
            both[0],
            both[1],
            "tria-server migrate",
        ],
    );
    ended.within(SECOND);
}
