//! A database of its own on the shared server for each test.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::time::Duration;

use tria_chroma::ChromaClient;
use uuid::Uuid;

const PAUSE: Duration = Duration::from_millis(20);

/// The base URL of the shared real server.
pub(crate) async fn server() -> String {
    tria_devstack::shared().await.unwrap().chroma_url()
}

/// Runs a test in a new database, which is deleted afterwards, also when the test fails.
pub(crate) async fn in_database<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(ChromaClient) -> F,
) {
    let root = ChromaClient::new(&server().await).unwrap();
    let name = format!("test-{}", Uuid::new_v4());
    root.create_database(&name).await.unwrap();
    let chroma = root.with_database(root.tenant(), &name).unwrap();
    let result = tokio::spawn(test(chroma)).await;
    delete(&root, &name).await;
    if let Err(panic) = result {
        std::panic::resume_unwind(panic.into_panic());
    }
}

/// Other tests write at the same time, which the server answers with "database is locked".
async fn delete(root: &ChromaClient, name: &str) {
    for _ in 0..100 {
        match root.delete_database(name).await {
            Err(busy) if busy.is_transient() => tokio::time::sleep(PAUSE).await,
            other => return other.unwrap(),
        }
    }
    panic!("the database {name} stays locked");
}
