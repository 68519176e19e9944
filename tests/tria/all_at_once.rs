//! Several things wrong at once: all of them are told.

use std::time::Duration;

use tria_tests::Fixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_down() {
    let mut fixture = Fixture::migrated().await;
    let port = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    fixture.set(
        "DATABASE_URL",
        format!("postgres://app:Zk4vQ9tLw2Xs@127.0.0.1:{}/app", port()),
    );
    fixture.set("REDIS_PORT", port().to_string());
    fixture.set("OPENAI_BASE_URL", format!("http://127.0.0.1:{}/v1", port()));
    fixture.set("CHROMA_URL", format!("http://127.0.0.1:{}", port()));
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
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    fixture.execute("DROP TABLE invoices CASCADE").await;
    fixture.set("REDIS_PORT", port.to_string());
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
