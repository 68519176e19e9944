//! What is read anew at SIGHUP, and told at SIGUSR1.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tria_devstack::{Postgres, PostgresOptions, Redis, RedisOptions};
use tria_tests::{Fixture, RedisAdmin, Running, command, connect, get};

const FIRST: &str = "Rk5wNq8zTd2v";
const SECOND: &str = "Zk4vQ9tLw2Xs";

/// Nothing here takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sessions of the service.
const OURS: &str = "FROM pg_stat_activity WHERE application_name LIKE 'tria-server%'";

/// Asks until all of `checks` have run anew, logged in anew where they do that, and found `status`.
/// What has just run is not run again, and whether it counts already is another matter.
async fn until(url: &str, checks: &[&str], status: &str) {
    let all = async {
        loop {
            let found = deep(url).await;
            if checks.iter().all(|check| of(&found, check) == status) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = timeout(PATIENCE, all).await;
    assert!(waited.is_ok(), "{checks:?} are not all {status}");
}

async fn deep(url: &str) -> Vec<(String, String)> {
    let url = format!("{url}/api/v1/health/diagnostics?deep=1");
    let told = get(&url).await.expect("an answer").body;
    let checks = told["checks"].as_array().expect("the checks").iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .map(|check| (text(&check["name"]), text(&check["findings"][0]["status"])))
        .collect()
}

fn of<'a>(checks: &'a [(String, String)], name: &str) -> &'a str {
    let found = checks.iter().find(|(check, _)| check == name);
    &found.unwrap_or_else(|| panic!("no {name} in {checks:?}")).1
}

/// n8n-io/n8n#15480: whoever rotates a password must not have to restart what uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotated_passwords_are_picked_up_from_their_files() {
    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let redis = Redis::start(RedisOptions {
        password: Some(FIRST.to_owned()),
        ..RedisOptions::default()
    });
    let redis = redis.await.unwrap();
    let mut fixture = Fixture::empty().await.on_redis(&redis);
    let url = postgres.create_database("app").await.unwrap();
    let admin = connect(&postgres.url("postgres")).await.unwrap();
    let create = format!("CREATE ROLE tria LOGIN SUPERUSER PASSWORD '{FIRST}'");
    admin.batch_execute(&create).await.unwrap();
    let of_role = |password: &str| {
        let place = url.split_once('@').expect("a user").1;
        format!("postgres://tria:{password}@{place}")
    };
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name);
    let rotate_files = |password: &str| {
        fs::write(file("url"), of_role(password)).unwrap();
        fs::write(file("redis"), format!("{password}\n")).unwrap();
    };
    rotate_files(FIRST);
    fixture
        .unset("DATABASE_URL")
        .set("DATABASE_URL_FILE", file("url").to_string_lossy())
        .set("REDIS_PASSWORD_FILE", file("redis").to_string_lossy());
    fixture.run(&["migrate"]).expect(0, &["MIGRATION COMPLETE"]);
    let running = fixture.serve();
    let service = running.ready();

    let rotate = format!("ALTER ROLE tria PASSWORD '{SECOND}'");
    admin.batch_execute(&rotate).await.unwrap();
    let mut redis_admin = RedisAdmin::of(&redis, FIRST).await;
    redis_admin
        .tell(&format!("CONFIG SET requirepass {SECOND}"))
        .await;
    until(&service, &["database.login", "redis.login"], "fail").await;
    // Sessions outlast the change.
    until(&service, &["database", "redis"], "pass").await;

    rotate_files(SECOND);
    running.signal("HUP");
    running.wait_for_complaint("reloaded keys=\"DATABASE_URL, REDIS_PASSWORD\"");
    admin
        .batch_execute(&format!("SELECT pg_terminate_backend(pid) {OURS}"))
        .await
        .unwrap();
    redis_admin.ask("CLIENT KILL TYPE normal SKIPME yes").await;
    let all = ["database", "redis", "database.login", "redis.login"];
    until(&service, &all, "pass").await;
    running.signal("TERM");
    let ended = running.ended();
    ended.expect(0, &[]);
    assert!(!ended.text().contains(SECOND), "a secret was told");
}

/// Starts the service in a folder with an env file, as a developer does.
fn start_in(folder: &Path, fixture: &Fixture) -> Running {
    let mut command = command(&["serve"], &fixture.keys);
    command.current_dir(folder);
    Running::start(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_level_of_the_log_changes_and_what_breaks_a_rule_changes_nothing() {
    let fixture = Fixture::migrated().await;
    let folder = TempDir::new().unwrap();
    let write = |text: &str| fs::write(folder.path().join(".env"), text).unwrap();
    write("LOG_LEVEL=info\n");
    let running = start_in(folder.path(), &fixture);
    let url = running.ready();

    write("LOG_LEVEL=loud\n");
    running.signal("HUP");
    let told = running.wait_for_complaint("the settings stay as they are");
    assert!(
        told.contains("LOG_LEVEL: is none of the known words"),
        "{told}"
    );

    write("LOG_LEVEL=trace\nDRAIN=2s\n");
    running.signal("HUP");
    let told = running.wait_for_complaint("reloaded keys=\"LOG_LEVEL\"");
    assert!(
        told.contains("changed, and take a restart keys=\"DRAIN\""),
        "{told}"
    );
    running.wait_for_complaint("TRACE ");
    let diagnostics = get(&format!("{url}/api/v1/health/diagnostics")).await;
    let configuration = &diagnostics.expect("an answer").body["configuration"];
    assert_eq!(configuration["LOG_LEVEL"], "trace");
    assert_eq!(configuration["DRAIN"], "15s", "it is what holds");
    running.signal("TERM");
    running.ended().expect(0, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_diagnostics_are_written_when_asked_for_whatever_the_level() {
    let mut fixture = Fixture::migrated().await;
    fixture.set("LOG_LEVEL", "off");
    let running = fixture.serve();
    running.ready();
    running.signal("USR1");
    let told = running.wait_for_complaint("\"lifecycle\"");
    for part in ["DIAGNOSTICS\n{", "\"checks\"", "\"database.login\""] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    running.signal("TERM");
    let ended = running.ended();
    ended.expect(0, &[]);
    for secret in ["REDIS_PASSWORD", "SECRET_KEY", "DIAGNOSTICS_TOKEN"] {
        let secret = fixture.keys[secret].as_str();
        assert!(!ended.text().contains(secret), "a secret was told");
    }
}
