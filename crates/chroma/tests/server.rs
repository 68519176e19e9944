//! Against a real server: itself, tenants, databases and collections.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use support::{in_database, server};
use tokio::time::sleep;
use tria_chroma::{ChromaClient, DEFAULT_DATABASE, DEFAULT_TENANT, Error, NewCollection, Page};
use tria_chroma::{Record, Space};
use uuid::Uuid;

fn name_of(error: &Error) -> Option<&str> {
    match error {
        Error::Status { name, .. } => name.as_deref(),
        _ => None,
    }
}

#[tokio::test]
async fn the_server_speaks_of_itself() {
    let chroma = ChromaClient::new(&server().await).unwrap();
    let clock = chroma.heartbeat().await.unwrap();
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(ours.abs_diff(clock) < Duration::from_secs(60), "{clock:?}");

    let version = chroma.version().await.unwrap();
    assert!(
        version.split('.').all(|part| part.parse::<u32>().is_ok()),
        "{version}"
    );
    assert!(chroma.healthcheck().await.unwrap().is_ready());
    assert!(chroma.pre_flight().await.unwrap().max_batch_size > 0);
}

#[tokio::test]
async fn every_server_has_the_default_tenant_and_database() {
    let chroma = ChromaClient::new(&server().await).unwrap();
    assert_eq!(
        chroma.get_tenant(DEFAULT_TENANT).await.unwrap().name,
        DEFAULT_TENANT
    );
    let database = chroma.get_database(DEFAULT_DATABASE).await.unwrap();
    assert_eq!(
        (&*database.name, &*database.tenant),
        (DEFAULT_DATABASE, DEFAULT_TENANT)
    );
}

#[tokio::test]
async fn what_does_not_exist_is_chromas_not_found() {
    let chroma = ChromaClient::new(&server().await).unwrap();
    for error in [
        chroma.get_tenant("no-such-tenant").await.unwrap_err(),
        chroma.get_database("no-such-database").await.unwrap_err(),
        chroma
            .get_collection("no-such-collection")
            .await
            .unwrap_err(),
        chroma
            .delete_collection("no-such-collection")
            .await
            .unwrap_err(),
        chroma
            .count(&Uuid::new_v4().to_string().into())
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_not_found() && !error.is_transient(), "{error:?}");
        assert_eq!(name_of(&error), Some("NotFoundError"));
    }
}

#[tokio::test]
async fn a_missing_tenant_looks_like_an_empty_one_when_listing() {
    // The reason why a check asks for tenant and database before it asks for collections.
    let chroma = ChromaClient::builder(&server().await)
        .tenant("no-such-tenant")
        .build()
        .unwrap();
    assert_eq!(chroma.list_collections(Page::default()).await.unwrap(), []);
}

#[tokio::test]
async fn tenants_and_databases_are_made_once() {
    let tenant = format!("tenant/with ö {}", Uuid::new_v4());
    let chroma = ChromaClient::builder(&server().await)
        .tenant(&tenant)
        .build()
        .unwrap();
    chroma.create_tenant(&tenant).await.unwrap();
    assert_eq!(chroma.get_tenant(&tenant).await.unwrap().name, tenant);
    assert!(
        chroma
            .create_tenant(&tenant)
            .await
            .unwrap_err()
            .is_already_exists()
    );

    chroma.create_database("shop").await.unwrap();
    assert_eq!(chroma.get_database("shop").await.unwrap().tenant, tenant);
    assert!(
        chroma
            .create_database("shop")
            .await
            .unwrap_err()
            .is_already_exists()
    );
    // While other tests write, it may say that its database is locked.
    while let Err(error) = chroma.delete_database("shop").await {
        assert!(error.is_transient(), "{error:?}");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(
        chroma
            .get_database("shop")
            .await
            .unwrap_err()
            .is_not_found()
    );
    // A tenant cannot be deleted; the server has no such request.
}

#[tokio::test]
async fn a_collection_lives() {
    in_database(|chroma| async move {
        let notes = json!({"model": "minilm", "build": 7, "exact": true, "share": 0.5});
        let notes = notes.as_object().unwrap();
        let new = NewCollection::new("products")
            .space(Space::Cosine)
            .metadata(notes.clone());
        let made = chroma.create_collection(&new).await.unwrap();
        assert_eq!((&*made.name, made.dimension), ("products", None));
        assert_eq!(made.space(), Some(Space::Cosine));
        assert_eq!(made.metadata.as_ref(), Some(notes));
        assert_eq!(made.database, chroma.database());
        assert_eq!(chroma.count(&made.id).await.unwrap(), 0);

        assert!(
            chroma
                .create_collection(&new)
                .await
                .unwrap_err()
                .is_already_exists()
        );
        let again = chroma
            .get_or_create_collection(&NewCollection::new("products"))
            .await
            .unwrap();
        assert_eq!((&again.id, again.space()), (&made.id, Some(Space::Cosine)));

        chroma
            .add(&made.id, &[Record::new("a", vec![0.0; 384])])
            .await
            .unwrap_or_else(|error| {
                panic!("{error:?}");
            });
        let read = chroma.get_collection("products").await.unwrap();
        assert_eq!(read.dimension, Some(384));
        assert_eq!(chroma.count(&read.id).await.unwrap(), 1);

        chroma.delete_collection("products").await.unwrap();
        assert!(
            chroma
                .get_collection("products")
                .await
                .unwrap_err()
                .is_not_found()
        );
        assert!(chroma.count(&made.id).await.unwrap_err().is_not_found());
    })
    .await;
}

#[tokio::test]
async fn a_list_is_complete_and_can_be_paged() {
    in_database(|chroma| async move {
        assert_eq!(chroma.list_collections(Page::default()).await.unwrap(), []);
        for name in ["one", "two", "three"] {
            chroma
                .create_collection(&NewCollection::new(name))
                .await
                .unwrap();
        }
        let mut names = Vec::new();
        for offset in 0..3 {
            let page = Page {
                limit: Some(1),
                offset,
            };
            let page = chroma.list_collections(page).await.unwrap();
            assert_eq!(page.len(), 1);
            names.push(page[0].name.clone());
        }
        let all = chroma.list_collections(Page::default()).await.unwrap();
        assert!(all.iter().map(|collection| &collection.name).eq(&names));
        names.sort();
        assert_eq!(names, ["one", "three", "two"]);
        let beyond = chroma
            .list_collections(Page {
                limit: None,
                offset: 3,
            })
            .await
            .unwrap();
        assert_eq!(beyond, []);
    })
    .await;
}

#[tokio::test]
async fn many_callers_at_once_get_the_same_collection() {
    in_database(|chroma| async move {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let chroma = chroma.clone();
                tokio::spawn(async move {
                    chroma
                        .get_or_create_collection(&NewCollection::new("shared"))
                        .await
                })
            })
            .collect();
        let mut ids = Vec::new();
        for caller in callers {
            ids.push(caller.await.unwrap().unwrap().id);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_refused_name_comes_with_chromas_own_words() {
    in_database(|chroma| async move {
        let error = chroma
            .create_collection(&NewCollection::new("a b"))
            .await
            .unwrap_err();
        assert_eq!(name_of(&error), Some("InvalidArgumentError"));
        assert!(error.to_string().contains("3-512 characters"), "{error}");
        assert!(!error.is_transient());
        // A dot segment would aim the request at the database itself.
        let error = chroma.delete_collection("..").await.unwrap_err();
        assert!(matches!(error, Error::InvalidName));
        assert!(chroma.get_database(chroma.database()).await.is_ok());
    })
    .await;
}
