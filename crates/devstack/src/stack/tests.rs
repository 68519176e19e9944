use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use super::*;
use crate::{Error, SharedStack, Workspace, publish};

fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn value(env: &[(String, String)], key: &str) -> String {
    env.iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}

/// Without ChromaDB and the model server, which have tests of their own.
fn small(data_dir: Option<PathBuf>) -> StackOptions {
    let elsewhere = [
        ("CHROMA_URL", "http://chroma.example:8000"),
        ("OPENAI_API_KEY", "sk-of-somebody-who-pays"),
    ];
    let overrides = elsewhere.map(|(key, value)| (key.to_owned(), value.to_owned()));
    StackOptions {
        data_dir,
        overrides: overrides.into(),
    }
}

#[tokio::test]
async fn data_secrets_and_ports_survive_and_reset_removes_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("dev");
    let stack = Stack::start(small(Some(data.clone()))).await.unwrap();
    let before = stack.env();
    let kept = stack
        .postgres
        .as_ref()
        .unwrap()
        .create_database("kept")
        .await
        .unwrap();
    stack.stop().await;
    assert!(
        tokio_postgres::connect(&kept, tokio_postgres::NoTls)
            .await
            .is_err()
    );

    let stack = Stack::start(small(Some(data.clone()))).await.unwrap();
    assert_eq!(stack.env(), before);
    tokio_postgres::connect(&kept, tokio_postgres::NoTls)
        .await
        .map(drop)
        .unwrap();
    let second = Stack::start(small(Some(data.clone()))).await.unwrap_err();
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    assert!(matches!(
        Stack::reset(&data).unwrap_err(),
        Error::InUse { .. }
    ));
    let secrets = std::fs::metadata(data.join("secrets.json")).unwrap();
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);
    stack.stop().await;

    let removed = Stack::reset(&data).unwrap();
    assert!(
        removed.contains(&data) && !removed.iter().any(|folder| folder.exists()),
        "{removed:?}"
    );
    assert_eq!(Stack::reset(&data).unwrap(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_is_pointed_elsewhere_is_not_started_and_its_keys_stay() {
    let mut options = small(None);
    options
        .overrides
        .insert("REDIS_HOST".into(), "redis.example".into());
    options
        .overrides
        .insert("DATABASE_URL_FILE".into(), "/run/secrets/database".into());
    let stack = Stack::start(options).await.unwrap();
    assert!(
        stack.postgres.is_none()
            && stack.redis.is_none()
            && stack.chroma.is_none()
            && stack.model.is_none()
    );

    let env = stack.env();
    assert_eq!(value(&env, "OPENAI_API_KEY"), "sk-of-somebody-who-pays");
    assert_eq!(value(&env, "REDIS_HOST"), "redis.example");
    assert_eq!(value(&env, "DATABASE_URL_FILE"), "/run/secrets/database");
    // What belongs to a local server must not follow to the real one.
    for key in [
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "DATABASE_URL",
        "REDIS_PASSWORD",
    ] {
        assert_eq!(value(&env, key), "", "{key}");
    }
    assert!(value(&env, "SECRET_KEY").len() >= 32);
    let workspace = tempfile::tempdir().unwrap();
    assert!(publish(&Workspace::at(workspace.path()), &stack).is_err());
}

#[tokio::test]
async fn every_key_that_is_given_is_one_that_can_be_given_back() {
    let stack = Stack::start(StackOptions::default()).await.unwrap();
    let env = stack.env();
    for (key, _) in &env {
        assert!(ENVIRONMENT_KEYS.contains(&key.as_str()), "{key}");
    }

    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(folder.path());
    let published = publish(&workspace, &stack).unwrap();
    let shared = SharedStack::find(&workspace).await.unwrap();
    let (first, second) = tokio::join!(shared.redis_space(), shared.redis_space());
    assert_ne!(first.unwrap().database, second.unwrap().database);
    let one = shared.chroma_database().await.unwrap();
    let other = shared.chroma_database().await.unwrap();
    assert_ne!(one.name(), other.name());
    assert_eq!(shared.env(), env);
    assert_eq!(shared.embedding_model(), ModelServer::EMBEDDING_MODEL);
    let database = shared.fresh_database().await.unwrap();
    tokio_postgres::connect(database.url(), tokio_postgres::NoTls)
        .await
        .map(drop)
        .unwrap();
    database.close().await.unwrap();

    stack.redis.as_ref().unwrap().pause();
    SharedStack::find(&workspace).await.unwrap();
    stack.redis.as_ref().unwrap().resume();
    stack.stop().await;
    let gone = SharedStack::find(&workspace).await.unwrap_err().to_string();
    assert!(
        gone.contains("does not answer") && gone.contains("cargo xtask test"),
        "{gone}"
    );
    drop(published);
    let none = SharedStack::find(&workspace).await.unwrap_err().to_string();
    assert!(
        none.contains("none is running") && none.contains("cargo xtask test"),
        "{none}"
    );
}

#[tokio::test]
async fn an_entry_of_a_dead_owner_is_no_stack() {
    let folder = tempfile::tempdir().unwrap();
    let entry = serde_json::json!({
        "owner": 4_194_999, "postgres_port": 1, "postgres_password": "", "redis_port": 1, "redis_password": "",
        "chroma_port": 1, "model_port": 1, "model_key": "", "env": [],
    });
    std::fs::create_dir(folder.path().join(".tria")).unwrap();
    std::fs::write(
        folder.path().join(".tria/test-stack.json"),
        entry.to_string(),
    )
    .unwrap();
    let error = SharedStack::find(&Workspace::at(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::NoSharedStack { reason } if reason.contains("4194999")),
        "{error}"
    );
}

/// Runs only as a child of the next test: starts servers and waits to be killed.
#[tokio::test]
#[ignore = "a part of servers_die_with_a_killed_owner"]
async fn hold_servers() {
    let stack = Stack::start(small(None)).await.unwrap();
    let pids = [stack.postgres.as_deref(), stack.redis.as_deref()]
        .map(|server| server.unwrap().pid().unwrap());
    println!("\nholding {} {}", pids[0], pids[1]);
    std::future::pending::<()>().await;
}

#[test]
fn servers_die_with_a_killed_owner() {
    let mut owner = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "stack::tests::hold_servers",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let told = lines
        .map_while(std::result::Result::ok)
        .find_map(|line| Some(line.strip_prefix("holding ")?.to_owned()));
    let pids: Vec<u32> = told
        .unwrap()
        .split(' ')
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert!(pids.iter().all(|pid| exists(*pid)));

    owner.kill().unwrap();
    owner.wait().unwrap();

    let end = Instant::now() + Duration::from_secs(10);
    while pids.iter().any(|pid| exists(*pid)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(pids.iter().all(|pid| !exists(*pid)), "{pids:?}");
}
