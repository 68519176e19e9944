//! What is reported to Sentry, by a server that listens as Sentry does.

use std::time::Duration;

use tria_devstack::{Redis, RedisOptions};
use tria_tests::{Fixture, get};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

async fn sentry() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/42/envelope/"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
        .mount(&server)
        .await;
    server
}

fn dsn(server: &MockServer) -> String {
    format!(
        "http://0123456789abcdef0123456789abcdef@{}/42",
        server.address()
    )
}

/// All that has arrived so far.
async fn arrived(server: &MockServer) -> String {
    let requests = server.received_requests().await.unwrap_or_default();
    let bodies = requests
        .iter()
        .map(|it| String::from_utf8_lossy(&it.body).into_owned());
    bodies.collect::<Vec<_>>().join("\n")
}

async fn wait_for(server: &MockServer, needle: &str) -> String {
    for _ in 0..600 {
        let text = arrived(server).await;
        if text.contains(needle) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{needle:?} did not arrive: {}", arrived(server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_and_its_end_are_reported_without_a_secret() {
    let sentry = sentry().await;
    let password = "Kq7wT2xZ9vLm4Rp8";
    let options = RedisOptions {
        password: Some(password.into()),
        ..RedisOptions::default()
    };
    let mut redis = Redis::start(options).await.unwrap();
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    fixture
        .set("REDIS_PASSWORD", password)
        .set("SENTRY_DSN", dsn(&sentry));
    let running = fixture.serve();
    let url = running.ready();
    assert_eq!(
        arrived(&sentry).await,
        "",
        "a good start is nothing to report"
    );

    redis.stop().await;
    let text = wait_for(&sentry, "check redis has failed").await;
    // Its level is Sentry's default, `error`, which is not written.
    assert!(!text.contains("\"level\""), "{text}");
    for needle in [
        "connect_refused",
        "\"environment\":\"development\"",
        "tria-server@",
    ] {
        assert!(text.contains(needle), "{needle} in {text}");
    }
    redis.restart().await.unwrap();
    wait_for(&sentry, "check redis has recovered").await;
    assert_eq!(get(&format!("{url}/readyz")).await.unwrap().status, 200);
    running.signal("TERM");
    running.ended().expect(0, &[]);
    let text = arrived(&sentry).await;
    assert!(
        !text.contains("exit code"),
        "a clean end is nothing to report: {text}"
    );
    for secret in [
        password,
        &fixture.keys["SECRET_KEY"],
        fixture.stack.postgres_password(),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_was_refused_is_reported_before_the_process_ends() {
    let sentry = sentry().await;
    let mut fixture = Fixture::migrated().await;
    fixture
        .set("OPENAI_MODEL", "gpt-nowhere")
        .set("SENTRY_DSN", dsn(&sentry));
    fixture.run(&["serve"]).expect(69, &["[model_missing]"]);
    let text = arrived(&sentry).await;
    assert!(text.contains("ends with exit code 69"), "{text}");
    assert!(text.contains("\"level\":\"fatal\""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dsn_that_cannot_be_used_is_refused_and_a_silent_sentry_holds_nobody() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("SENTRY_DSN", "https://host-without-key/42");
    fixture
        .run(&["serve"])
        .expect(78, &["SENTRY_DSN cannot be used", "remedy"]);

    // Accepts, and never answers.
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = silent.local_addr().unwrap();
    fixture
        .set(
            "SENTRY_DSN",
            format!("http://0123456789abcdef0123456789abcdef@{address}/42"),
        )
        .set("OPENAI_MODEL", "gpt-nowhere");
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["[model_missing]"]);
    ended.within(Duration::from_secs(10));
}
