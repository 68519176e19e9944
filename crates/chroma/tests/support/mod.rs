//! A database of its own on the shared server for each test.
#![allow(dead_code, reason = "each test binary uses a part")]

use tria_chroma::ChromaClient;

/// The base URL of the shared real server.
pub(crate) async fn server() -> String {
    tria_devstack::shared().await.unwrap().chroma_url()
}

/// Runs a test in a database of its own, which goes with it, also when the test fails.
pub(crate) async fn in_database<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(ChromaClient) -> F,
) {
    let database = tria_devstack::shared()
        .await
        .unwrap()
        .chroma_database()
        .await
        .unwrap();
    let root = ChromaClient::new(&server().await).unwrap();
    test(root.with_database(root.tenant(), database.name()).unwrap()).await;
}
