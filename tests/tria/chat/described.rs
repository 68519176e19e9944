//! The description that the server gives of itself, held against it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tria_tests::{Shop, get, get_text};

/// Where `cargo xtask setup` puts it.
fn schemathesis() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tria/venv/bin/schemathesis")
}

/// Requests that fit the description are answered, those that do not are refused, and every answer
/// is one that it names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_does_as_it_says_of_itself() {
    let program = schemathesis();
    if !program.exists() {
        println!("SKIPPED: schemathesis is not installed (`cargo xtask setup`)");
        return;
    }
    let mut shop = Shop::new().await;
    for limit in ["RATE_LIMIT_PER_USER", "RATE_LIMIT_PER_ADDRESS"] {
        shop.fixture.set(limit, "0");
    }
    let (_running, url) = shop.open();
    let notes = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", &format!("{url}/openapi.json")])
        // The same requests each time: who looks for more sets another seed by hand.
        .args([
            "--max-examples",
            "20",
            "--seed",
            "1",
            "--generation-database",
            "none",
        ])
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env(
            "PYTHONPATH",
            Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis"),
        )
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // It writes down what it tried.
        .current_dir(notes.path());
    let ended = tokio::task::spawn_blocking(move || command.output());
    let ended = ended.await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{told}");
    assert!(told.contains("No issues found"), "{told}");
}

/// Neither the page of the chat nor that of the description needs anything from elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_need_nothing_from_elsewhere() {
    let open = Shop::shared().await;
    for path in [
        "/",
        "/chat.js",
        "/chat.css",
        "/docs/",
        "/docs/swagger-initializer.js",
    ] {
        let page = get_text(&format!("{}{path}", open.url)).await;
        for elsewhere in [
            "src=\"http",
            "href=\"http",
            "src=\"//",
            "href=\"//",
            "@import",
            "url(http",
        ] {
            assert!(!page.contains(elsewhere), "{path} holds {elsewhere}");
        }
    }
    let described = get(&format!("{}/openapi.json", open.url))
        .await
        .unwrap()
        .body;
    let paths = described["paths"].as_object().unwrap();
    assert_eq!(
        paths.keys().collect::<Vec<_>>(),
        ["/api/chatbot", "/api/chatbot/stream"]
    );
    let key = &described["paths"]["/api/chatbot"]["post"]["parameters"][0];
    assert_eq!(
        (&key["name"], &key["required"]),
        (&Value::from("Idempotency-Key"), &Value::from(true))
    );
}
