//! The other commands.

use std::time::Duration;

use serde_json::Value;
use tria_tests::{ClosedPort, Fixture, Keys, Running, command, run};

#[test]
fn wrong_usage_is_64() {
    run(&["serve", "--nonsense"], &Keys::new()).expect(64, &["--nonsense", "Usage:"]);
    run(&["check", "--only", "nothing"], &Keys::new()).expect(64, &["nothing", "chromadb"]);
    run(&["--help"], &Keys::new()).expect(0, &["healthcheck", "migrate", "Exit codes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_proves_without_serving_and_without_changing_anything() {
    let fixture = Fixture::migrated().await;
    let ended = fixture.run(&["check"]);
    ended.expect(0, &["All 8 required tables exist", "PREFLIGHT PASSED"]);
    let empty = Fixture::empty().await;
    empty.run(&["check"]).expect(69, &["tria-server migrate"]);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(empty.count(tables).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_only_and_json() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("REDIS_PORT", "1");
    fixture
        .run(&["check", "--only", "database,chromadb"])
        .expect(0, &[]);
    let ended = fixture.run(&["check", "--json"]);
    assert_eq!(ended.code, Some(75), "{}", ended.text());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["exit_code"], 75);
    let redis = &report["phases"][2];
    assert_eq!(
        redis["checks"][0]["findings"][0]["code"], "connect_refused",
        "{redis:#}"
    );
    assert!(
        redis["checks"][0]["findings"][0]["remedy"].is_string(),
        "{redis:#}"
    );
    let once = ended.elapsed;
    let ended = fixture.run(&["check", "--wait", "3s"]);
    assert_eq!(ended.code, Some(75));
    assert!(ended.elapsed >= Duration::from_secs(3) && ended.elapsed > once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthcheck_asks_the_running_server() {
    let mut fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let url = running.ready();
    let port = url.rsplit(':').next().unwrap().to_owned();
    fixture.set("PORT", port);
    fixture.run(&["healthcheck"]).expect(0, &["healthy"]);
    fixture
        .run(&["healthcheck", "--live"])
        .expect(0, &["alive"]);
    running.signal("TERM");
    running.ended().expect(0, &[]);
    fixture.run(&["healthcheck"]).expect(1, &["no answer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_shows_what_holds_and_hides_secrets() {
    let fixture = Fixture::empty().await;
    let ended = fixture.run(&["config"]);
    ended.expect(
        0,
        &[
            "REDIS_HOST",
            "127.0.0.1",
            "STARTUP_DEADLINE",
            "2s",
            "SECRET_KEY",
        ],
    );
    for key in ["SECRET_KEY", "REDIS_PASSWORD", "OPENAI_API_KEY"] {
        assert!(!ended.text().contains(&fixture.keys[key]), "{key} is shown");
    }
    assert!(
        !ended.text().contains(fixture.stack.postgres_password()),
        "the password is shown"
    );
    let template = run(&["config", "--template"], &Keys::new());
    template.expect(0, &["DATABASE_URL=", "TAX_RATE=", "MAX_ORDER_TOTAL"]);
}

/// An interrupted preflight has proven nothing, and must not pass for one that has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_command_is_no_success() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    fixture.set(
        "DATABASE_URL",
        format!("postgres://a:b@127.0.0.1:{}/c", port.number()),
    );
    fixture.set("STARTUP_DEADLINE", "60s");
    for arguments in [&["check", "--wait", "60s"][..], &["migrate"]] {
        let running = Running::start(command(arguments, &fixture.keys));
        running.wait_for("⏳ database:");
        running.signal("TERM");
        let ended = running.ended();
        ended.expect(143, &["interrupted by SIGTERM"]);
        assert!(!ended.text().contains("PASSED") && !ended.text().contains("COMPLETE"));
    }
}
