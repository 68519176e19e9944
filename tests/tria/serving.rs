//! A good start, what it serves, and how it ends.

use std::{fs::OpenOptions, process::Stdio, time::Duration};

use serde_json::Value;
use tria_devstack::{Redis, RedisOptions};
use tria_tests::{ClosedPort, Fixture, Running, Sight, command, get, signal};

const SECOND: Duration = Duration::from_secs(1);

/// The status of an answer, and its body.
async fn ask(url: &str) -> (u16, Value) {
    let answer = get(url).await.expect("an answer");
    (answer.status, answer.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_start_proves_everything_in_order_and_stops_cleanly() {
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let url = running.ready();
    let sight = Sight::of(&url).await;
    assert!(sight.is_well(), "{}", sight.told());
    let health = &sight.body;
    for service in ["database", "redis", "openai", "chromadb"] {
        assert_eq!(health["services"][service]["healthy"], true, "{health:#}");
    }
    for path in ["livez", "readyz", "startupz"] {
        assert_eq!(ask(&format!("{url}/{path}")).await.0, 200, "{path}");
    }
    let missing = get(&format!("{url}/nothing")).await.unwrap();
    assert_eq!(missing.status, 404);
    let refused = reqwest::Client::new().post(format!("{url}/livez")).send();
    let refused = refused.await.unwrap();
    assert_eq!(refused.status(), 405);
    for headers in [&missing.headers, refused.headers()] {
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["cache-control"], "no-store");
    }

    running.signal("TERM");
    let ended = running.ended();
    let order = [
        "TRIA AIBPO PRODUCTION STARTUP",
        "PHASE 1: Environment Validation",
        "✅ Environment validation passed",
        "PHASE 2: Database Initialization",
        "✅ Connected to PostgreSQL ",
        "✅ Schema up to date (migration ",
        "✅ All 8 required tables exist",
        "PHASE 3: Redis Initialization",
        "PHASE 4: OpenAI API Validation",
        "PHASE 5: ChromaDB Validation",
        "✅ STARTUP COMPLETE - ALL CRITICAL SERVICES OPERATIONAL",
        "✅ STOPPED (SIGTERM",
    ];
    ended.expect(0, &order);
    let places: Vec<_> = order.iter().map(|line| ended.stdout.find(line)).collect();
    assert!(places.is_sorted(), "out of order:\n{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_answer_while_it_starts() {
    let mut redis = Redis::start(RedisOptions::default()).await.unwrap();
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    fixture.set("STARTUP_DEADLINE", "60s");
    redis.stop().await;
    let running = fixture.serve();
    let url = running.url();
    running.wait_for("⏳ redis:");
    assert_eq!(ask(&format!("{url}/livez")).await.0, 200);
    assert_eq!(ask(&format!("{url}/readyz")).await.0, 503);
    assert_eq!(ask(&format!("{url}/startupz")).await.0, 503);
    // A dependency that comes up five seconds late is waited for.
    tokio::time::sleep(5 * SECOND).await;
    redis.restart().await.unwrap();
    running.wait_for("STARTUP COMPLETE");
    assert_eq!(ask(&format!("{url}/startupz")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_in_the_middle_of_the_start_rolls_it_back() {
    let mut redis = Redis::start(RedisOptions::default()).await.unwrap();
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    fixture.set("STARTUP_DEADLINE", "60s");
    redis.stop().await;
    let running = fixture.serve();
    running.wait_for("⏳ redis:");
    running.signal("TERM");
    let ended = running.ended();
    ended.expect(0, &["STOPPED (SIGTERM"]);
    ended.within(5 * SECOND);
    fixture.expect_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_somebody_else_has() {
    let mut fixture = Fixture::migrated().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fixture.set("PORT", port.clone());
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["cannot listen on 127.0.0.1", &port, "remedy:"]);
    ended.within(SECOND);
}

/// The disk behind the log is full: nothing can be written, and the service serves all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_behind_the_log_stops_nothing() {
    for format in ["pretty", "json"] {
        let mut fixture = Fixture::migrated().await;
        let port = ClosedPort::take();
        fixture
            .set("PORT", port.number().to_string())
            .set("LOG_FORMAT", format)
            .set("LOG_LEVEL", "debug");
        let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let mut command = command(&["serve"], &fixture.keys);
        let mut child = command.stdout(full()).stderr(full()).spawn().unwrap();
        let url = port.url("/readyz");
        let ready = tokio::time::timeout(30 * SECOND, async {
            while get(&url).await.is_none_or(|answer| answer.status != 200) {
                assert!(child.try_wait().unwrap().is_none(), "it ended");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        ready.await.expect("it becomes ready");
        signal(child.id(), "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_json_log_has_one_event_for_each_phase() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("LOG_FORMAT", "json");
    let running = fixture.serve();
    running.wait_for("startup complete");
    running.signal("TERM");
    let ended = running.ended();
    ended.expect(0, &[]);
    let events: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let phases: Vec<_> = events
        .iter()
        .filter(|event| event["message"] == "phase ended")
        .collect();
    let mut numbers: Vec<_> = phases
        .iter()
        .filter_map(|event| event["phase"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert!(
        phases.iter().all(|event| event["state"] == "passed"),
        "{phases:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_optional_check_degrades_instead_of_blocking() {
    let mut fixture = Fixture::migrated().await;
    fixture
        .set("OPENAI_MODEL", "gpt-nowhere")
        .set("OPTIONAL_CHECKS", "openai");
    let running = fixture.serve();
    let text = running.wait_for("STARTUP COMPLETE");
    assert!(text.contains("[model_missing]"), "{text}");
    let url = running.url();
    let (status, health) = ask(&format!("{url}/health")).await;
    assert_eq!(
        (status, &health["status"]),
        (200, &"degraded".into()),
        "{health:#}"
    );
    assert_eq!(ask(&format!("{url}/readyz")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_nothing_is_in_the_way() {
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    running.ready();
    running.signal("KILL");
    assert_eq!(running.ended().code, None);
    let again: Running = fixture.serve();
    again.ready();
}

/// The whole of a dependency is optional: what belongs to it does not block either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_optional_database_may_be_down() {
    let mut fixture = Fixture::migrated().await;
    let port = ClosedPort::take();
    let url = format!(
        "postgres://app:Zk4vQ9tLw2Xs@127.0.0.1:{}/app",
        port.number()
    );
    fixture
        .set("DATABASE_URL", url)
        .set("OPTIONAL_CHECKS", "database");
    let running = fixture.serve();
    let text = running.wait_for("STARTUP COMPLETE");
    assert!(text.contains("[connect_refused]"), "{text}");
    let (status, health) = ask(&format!("{}/health", running.url())).await;
    assert_eq!(
        (status, &health["status"]),
        (200, &"degraded".into()),
        "{health:#}"
    );
    assert_eq!(
        health["services"]["database"]["healthy"], false,
        "{health:#}"
    );
}
