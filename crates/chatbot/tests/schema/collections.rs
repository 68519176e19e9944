//! The collections, in a real ChromaDB.

use tria_chatbot::collections::{COLLECTIONS, ensure_collections};
use tria_chroma::{ChromaClient, DEFAULT_TENANT, Page, Space};

#[tokio::test]
async fn missing_collections_are_created_once() {
    let stack = tria_devstack::shared().await.unwrap();
    let database = stack.chroma_database().await.unwrap();
    let chroma = ChromaClient::builder(&stack.chroma_url())
        .tenant(DEFAULT_TENANT)
        .database(database.name())
        .build()
        .unwrap();
    assert_eq!(ensure_collections(&chroma).await.unwrap(), COLLECTIONS);
    assert!(ensure_collections(&chroma).await.unwrap().is_empty());
    chroma.delete_collection(COLLECTIONS[1]).await.unwrap();
    assert_eq!(ensure_collections(&chroma).await.unwrap(), COLLECTIONS[1..]);

    let mut found = chroma.list_collections(Page::default()).await.unwrap();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<&str> = found
        .iter()
        .map(|collection| collection.name.as_str())
        .collect();
    assert_eq!(names, COLLECTIONS);
    assert!(
        found
            .iter()
            .all(|collection| collection.space() == Some(Space::Cosine))
    );
}
