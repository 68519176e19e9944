//! What operators are told of a running service, and who else is.

use std::collections::BTreeSet;

use serde_json::Value;
use tria_tests::{Answer, Fixture, Sight, get, get_with_token};

use crate::documents::reading::{read, rows};

const PATH: &str = "/api/v1/health/diagnostics";

/// Asserts that none of the service's secrets stands in the text.
#[track_caller]
fn expect_no_secret(fixture: &Fixture, text: &str) {
    for key in [
        "REDIS_PASSWORD",
        "OPENAI_API_KEY",
        "SECRET_KEY",
        "DIAGNOSTICS_TOKEN",
        "DATABASE_URL",
    ] {
        assert!(!text.contains(&fixture.keys[key]), "{key} is told");
    }
    let password = fixture.stack.postgres_password();
    assert!(!text.contains(password), "the database's password is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn diagnostics_tell_everything_but_secrets() {
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let url = running.ready();
    // In development whoever reaches the address may ask.
    let answer = get(&format!("{url}{PATH}?deep=1")).await.unwrap();
    assert_eq!(answer.status, 200);
    let told = answer.body;
    expect_no_secret(&fixture, &told.to_string());
    let names: Vec<_> = told["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    for name in [
        "database",
        "database.schema",
        "redis",
        "openai",
        "chromadb",
        "system.memory",
        "system.disk",
        "system.file_descriptors",
        "system.clock",
        "database.pool",
        "redis.pool",
        "process.heartbeats",
    ] {
        assert!(names.iter().any(|it| *it == name), "{name} of {names:?}");
    }
    let has = |pointer: &str| {
        let found = told.pointer(pointer);
        assert!(
            found.is_some_and(|it| !it.is_null()),
            "{pointer} in {told:#}"
        );
    };
    for pointer in [
        "/observed/database/server_version/value",
        "/observed/database/connections_used/value",
        "/observed/database/connections_max/value",
        "/observed/database/migration/value",
        "/observed/redis/version/value",
        "/observed/redis/round_trip_ms/value",
        "/pools/database/max",
        "/pools/redis/waiting",
        "/system/memory/available_bytes",
        "/system/disk/available_bytes",
        "/process/pid",
        "/process/threads",
        "/process/resident_bytes",
        "/process/open_files",
        "/process/sockets",
        "/runtime/workers",
        "/lifecycle/phase",
        "/lifecycle/hooks/0/start/elapsed_ms",
        "/startup/phases/4/elapsed_ms",
        "/build/version",
        "/build/revision",
        "/configuration/REDIS_HOST",
        "/checks/0/history/0/status",
    ] {
        has(pointer);
    }
    assert_eq!(told["configuration"]["REDIS_PASSWORD"], "[redacted]");
    assert_eq!(told["configuration"]["SENTRY_DSN"], Value::Null);
    assert_eq!(told["process"]["pid"], running.pid());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_only_the_token_opens_them() {
    let mut fixture = Fixture::migrated().await;
    fixture
        .set("ENVIRONMENT", "production")
        .set("PRE_DRAIN", "0s");
    let running = fixture.serve();
    let url = running.ready();
    let token = fixture.keys["DIAGNOSTICS_TOKEN"].clone();
    for path in [PATH, "/readyz?fresh=1", "/health?fresh=1"] {
        let refused = get(&format!("{url}{path}")).await.unwrap();
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        let wrong = get_with_token(&format!("{url}{path}"), "wrong")
            .await
            .unwrap();
        assert_eq!(wrong.status, 401, "{path}");
        let Answer { status, .. } = get_with_token(&format!("{url}{path}"), &token)
            .await
            .unwrap();
        assert_eq!(status, 200, "{path}");
    }
    // What needs no token tells nothing but codes and public words.
    for path in ["/health", "/readyz", "/livez", "/startupz"] {
        let answer = get(&format!("{url}{path}")).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        expect_no_secret(&fixture, &answer.body.to_string());
        assert!(!answer.body.to_string().contains("127.0.0.1"), "{path}");
    }
    let page = tria_tests::get_text(&format!("{url}/metrics")).await;
    assert!(page.contains("tria_ready 1\n") && page.contains("tria_build_info{"));
    expect_numbers_of_the_chat(&page);
    let shown = tria_tests::get_text(&format!("{url}/status")).await;
    assert!(!shown.contains("last success"));
    let sight = Sight::of(&url).await;
    assert!(sight.is_well(), "{}", sight.told());
    // A machine that is short of disk or memory is told of there, too.
    let works = sight.verdict() == "healthy";
    assert_eq!(shown.contains("Everything works."), works, "{shown}");
    expect_no_secret(&fixture, &shown);
    assert!(!shown.contains("127.0.0.1"));
    for route in ["/readyz", "/api/v1/health/diagnostics"] {
        assert!(
            page.contains(&format!("route=\"{route}\"")),
            "{route} in {page}"
        );
    }
    expect_no_secret(&fixture, &page);
    assert!(!page.contains("127.0.0.1"));
}

/// What the chat counts is exported as it is documented, and nothing else of it is.
fn expect_numbers_of_the_chat(page: &str) {
    let kinds = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let of_the_chat =
        |line: &&str| line.starts_with("tria_chat_") || line.starts_with("tria_model_");
    let exported: BTreeSet<String> = kinds.filter(of_the_chat).map(str::to_owned).collect();
    let documented = rows(&read("docs/monitoring.md"));
    let documented = documented
        .iter()
        .filter(|row| row.heads[0] == "metric of the chat");
    let documented: BTreeSet<String> = documented
        .map(|row| format!("{} {}", row.cells[0].trim_matches('`'), row.cells[1]))
        .collect();
    assert!(!documented.is_empty());
    assert_eq!(documented, exported);
}
