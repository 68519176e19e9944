//! Several things wrong at once: all of them are told.

use std::time::Duration;

use tria_tests::{ClosedPort, Fixture};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_down() {
    let mut fixture = Fixture::migrated().await;
    let ports = [(); 4].map(|()| ClosedPort::take());
    let [postgres, redis, openai, chroma] = &ports;
    let database = format!(
        "postgres://app:Zk4vQ9tLw2Xs@127.0.0.1:{}/app",
        postgres.number()
    );
    fixture.set("DATABASE_URL", database);
    fixture.set("REDIS_PORT", redis.number().to_string());
    fixture.set("OPENAI_BASE_URL", openai.url("/v1"));
    fixture.set("CHROMA_URL", chroma.url(""));
    let ended = fixture.run(&["serve"]);
    let names = [
        "database:",
        "redis:",
        "openai:",
        "chromadb:",
        "STARTUP REFUSED - 4 PROBLEMS",
    ];
    ended.expect(75, &names);
    assert!(
        ended.elapsed >= Duration::from_secs(2),
        "it did not wait until the deadline"
    );
    ended.within(Duration::from_secs(4));
}

/// Redis stopped, a key that the API refuses, and a table that is gone: one run tells all three,
/// and the permanent ones end the waiting for Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permanent_and_transient_together() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    fixture.execute("DROP TABLE invoices CASCADE").await;
    fixture.set("REDIS_PORT", port.number().to_string());
    fixture
        .set("OPENAI_API_KEY", "sk-wrong-Hj4kL9mN2pQ7")
        .set("STARTUP_DEADLINE", "60s");
    let ended = fixture.run(&["serve"]);
    let told = [
        "invoices",
        "[connect_refused]",
        "[auth_failed]",
        "STARTUP REFUSED - 3 PROBLEMS",
    ];
    ended.expect(69, &told);
    ended.within(Duration::from_secs(1));
}
