//! Knowledge and catalogue, brought into real collections by a real model.

use std::{fs, path::PathBuf, sync::Mutex};

use deadpool_postgres::Pool;
use tempfile::TempDir;
use tria_chatbot::{
    Embedder,
    collections::{KNOWLEDGE, PRODUCTS as PRODUCTS_COLLECTION, ensure_collections},
    ingest::{IngestError, IngestOptions, Ingested, Records, Stores, ingest},
    knowledge::Knowledge,
};
use tria_chroma::{ChromaClient, DEFAULT_TENANT, Get, Query, Record, StoredRecord};
use tria_devstack::{ChromaDatabase, TestDatabase};

use crate::{
    pool::migrated,
    support::{OUTLETS, PRODUCTS, seeded},
};

const DELIVERY: &str = "# Delivery\n## Days\nWe deliver from Monday to Friday.\n\
                        ## Costs\nDelivery is free above 150 euro.\n";

/// A seeded shop with collections and a file of knowledge of its own.
struct Shop {
    pool: Pool,
    chroma: ChromaClient,
    embedder: Embedder,
    folder: TempDir,
    _database: TestDatabase,
    _chroma_database: ChromaDatabase,
}

fn embedder(base_url: &str, key: &str, model: &str) -> Embedder {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Embedder::at(base_url, key, model)
}

impl Shop {
    async fn open() -> Self {
        let stack = tria_devstack::shared().await.unwrap();
        let (database, pool) = migrated().await;
        seeded(&pool, &PRODUCTS, &OUTLETS).await;
        let chroma_database = stack.chroma_database().await.unwrap();
        let chroma = ChromaClient::builder(&stack.chroma_url())
            .tenant(DEFAULT_TENANT)
            .database(chroma_database.name())
            .build()
            .unwrap();
        let model = stack.embedding_model();
        let embedder = embedder(&stack.model_base_url(), stack.model_key(), model);
        let folder = TempDir::new().unwrap();
        let shop = Self {
            pool,
            chroma,
            embedder,
            folder,
            _database: database,
            _chroma_database: chroma_database,
        };
        fs::write(shop.file(), DELIVERY).unwrap();
        shop
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("delivery.md")
    }

    async fn run(&self, embedder: &Embedder, rebuild: bool) -> Result<Ingested, IngestError> {
        let knowledge = Knowledge::read(self.folder.path()).unwrap();
        let stores = Stores {
            pool: &self.pool,
            chroma: &self.chroma,
            embedder,
        };
        let options = IngestOptions {
            rebuild,
            ..IngestOptions::default()
        };
        ingest(stores, &knowledge, options, |_, _| ()).await
    }

    async fn ingested(&self) -> Ingested {
        self.run(&self.embedder, false).await.unwrap()
    }

    /// The records of a collection, by id.
    async fn records(&self, collection: &str) -> Vec<StoredRecord> {
        let id = self.chroma.get_collection(collection).await.unwrap().id;
        let mut records = self.chroma.get(&id, &Get::all()).await.unwrap();
        records.sort_by(|one, other| one.id.cmp(&other.id));
        records
    }

    /// An embedder with our model's name that reaches nobody.
    fn unreachable(&self) -> Embedder {
        embedder("http://127.0.0.1:1/v1", "k", self.embedder.model())
    }
}

fn records(embedded: usize, unchanged: usize, deleted: usize) -> Records {
    Records {
        embedded,
        unchanged,
        deleted,
    }
}

#[tokio::test]
async fn what_is_ingested_is_found_by_its_meaning() {
    let shop = Shop::open().await;
    let first = shop.ingested().await;
    assert_eq!(first.knowledge, records(2, 0, 0));
    assert_eq!(first.products, records(3, 0, 0));

    for (collection, question, found) in [
        (KNOWLEDGE, "do I pay for shipping?", "delivery.md#Costs"),
        (
            PRODUCTS_COLLECTION,
            "something to drink coffee from",
            "CUP-2",
        ),
    ] {
        let vector = shop.embedder.embed(&[question]).await.unwrap().remove(0);
        let id = shop.chroma.get_collection(collection).await.unwrap().id;
        let hits = shop.chroma.query(&id, &Query::nearest(vector)).await;
        assert_eq!(hits.unwrap()[0][0].record.id, found);
    }

    let costs = &shop.records(KNOWLEDGE).await[0];
    let text = "Costs\nDelivery is free above 150 euro.";
    assert_eq!(costs.document.as_deref(), Some(text));
    let notes = costs.metadata.as_ref().unwrap();
    assert_eq!(notes["source"], "delivery.md");
    assert_eq!(notes["section"], "Costs");
    assert_eq!(notes["model"], shop.embedder.model());
    assert_eq!(notes["hash"].as_str().unwrap().len(), 64);
    let boxes = &shop.records(PRODUCTS_COLLECTION).await[0];
    let text =
        "Pizza box\nsize: 33 cm\nmaterial: kraft\ncategory: boxes\nBrown box for a whole pizza";
    assert_eq!(boxes.document.as_deref(), Some(text));
    assert_eq!(boxes.metadata.as_ref().unwrap()["sku"], "BOX-33");
}

#[tokio::test]
async fn a_second_run_asks_the_model_for_nothing() {
    let shop = Shop::open().await;
    shop.ingested().await;
    let second = shop.run(&shop.unreachable(), false).await.unwrap();
    assert_eq!(second.knowledge, records(0, 2, 0));
    assert_eq!(second.products, records(0, 3, 0));
}

#[tokio::test]
async fn only_what_changed_is_embedded_and_what_is_gone_is_deleted() {
    let shop = Shop::open().await;
    shop.ingested().await;
    let text = DELIVERY
        .replace("150", "200")
        .replace("## Days", "## Weekdays");
    fs::write(shop.file(), text).unwrap();
    let renamed = PRODUCTS[1].replace("Paper cup", "Cup of paper");
    let dearer = PRODUCTS[0].replace("12.50", "99.00");
    seeded(&shop.pool, &[&dearer, &renamed], &OUTLETS).await;
    let ingested = shop.ingested().await;
    assert_eq!(ingested.knowledge, records(2, 0, 1));
    assert_eq!(ingested.products, records(1, 1, 1));
    let ids = |records: Vec<StoredRecord>| -> Vec<String> {
        records.into_iter().map(|record| record.id).collect()
    };
    let knowledge = ids(shop.records(KNOWLEDGE).await);
    assert_eq!(knowledge, ["delivery.md#Costs", "delivery.md#Weekdays"]);
    let products = ids(shop.records(PRODUCTS_COLLECTION).await);
    assert_eq!(products, ["BOX-33", "CUP-2"]);
    let again = shop.run(&shop.unreachable(), false).await.unwrap();
    assert_eq!(again.knowledge, records(0, 2, 0));
}

#[tokio::test]
async fn another_model_is_noticed_before_anything_is_written_and_a_rebuild_takes_it() {
    let shop = Shop::open().await;
    shop.ingested().await;
    let before = shop.records(KNOWLEDGE).await;
    fs::write(shop.file(), DELIVERY.replace("150", "200")).unwrap();
    let stack = tria_devstack::shared().await.unwrap();
    // The server answers for any name with the model that it has.
    let other = embedder(&stack.model_base_url(), stack.model_key(), "other-model");
    let error = shop.run(&other, false).await.unwrap_err();
    let told = error.to_string();
    assert!(error.is_mismatch() && !error.is_transient());
    assert!(
        told.contains("other-model") && told.contains(shop.embedder.model()),
        "{told}"
    );
    assert_eq!(shop.records(KNOWLEDGE).await, before);

    // One that cannot embed must not cost the collections either.
    let nobody = embedder("http://127.0.0.1:1/v1", "k", "other-model");
    let error = shop.run(&nobody, true).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(shop.records(KNOWLEDGE).await, before);

    let rebuilt = shop.run(&other, true).await.unwrap();
    assert_eq!(rebuilt.knowledge, records(2, 0, 0));
    assert_eq!(rebuilt.products, records(3, 0, 0));
    let noted = shop.records(PRODUCTS_COLLECTION).await;
    assert!(
        noted
            .iter()
            .all(|it| it.metadata.as_ref().unwrap()["model"] == "other-model")
    );
}

#[tokio::test]
async fn another_dimension_is_noticed_before_anything_is_written() {
    let shop = Shop::open().await;
    ensure_collections(&shop.chroma).await.unwrap();
    let id = shop.chroma.get_collection(PRODUCTS_COLLECTION).await;
    let foreign = [Record::new("BOX-33", vec![1.0, 0.0, 0.0])];
    shop.chroma.upsert(&id.unwrap().id, &foreign).await.unwrap();
    let error = shop.run(&shop.embedder, false).await.unwrap_err();
    let told = error.to_string();
    assert!(error.is_mismatch(), "{error:?}");
    assert!(
        told.contains("3 dimensions") && told.contains("384"),
        "{told}"
    );
    assert!(shop.records(KNOWLEDGE).await.is_empty());
    assert_eq!(shop.records(PRODUCTS_COLLECTION).await.len(), 1);
    let rebuilt = shop.run(&shop.embedder, true).await.unwrap();
    assert_eq!(rebuilt.products, records(3, 0, 0));
}

#[tokio::test]
async fn two_at_once_embed_each_text_once() {
    let shop = Shop::open().await;
    let (one, other) = tokio::join!(
        shop.run(&shop.embedder, false),
        shop.run(&shop.embedder, true)
    );
    one.unwrap();
    other.unwrap();
    assert_eq!(shop.records(KNOWLEDGE).await.len(), 2);
    assert_eq!(shop.records(PRODUCTS_COLLECTION).await.len(), 3);
    let nobody = shop.unreachable();
    let (one, other) = tokio::join!(shop.run(&nobody, false), shop.run(&nobody, false));
    assert_eq!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn progress_ends_at_the_number_of_texts_and_one_that_was_cut_is_continued() {
    let shop = Shop::open().await;
    let sections: String = (0..130).fold("# Many\n".to_owned(), |text, n| {
        text + &format!("## Box {n}\nIt holds {n} pizzas.\n")
    });
    fs::write(shop.file(), sections).unwrap();
    let knowledge = Knowledge::read(shop.folder.path()).unwrap();
    let stores = Stores {
        pool: &shop.pool,
        chroma: &shop.chroma,
        embedder: &shop.embedder,
    };
    let told = Mutex::new(Vec::new());
    let (begun, first) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let hear = |done, of| {
        told.lock().unwrap().push((done, of));
        if let Some(begun) = begun.take() {
            begun.send(()).unwrap();
        }
    };
    let run = ingest(stores, &knowledge, IngestOptions::default(), hear);
    tokio::select! {
        biased;
        heard = first => heard.unwrap(),
        ended = run => panic!("it ended before it was cut: {ended:?}"),
    }
    assert_eq!(*told.lock().unwrap(), [(64, 133)]);

    told.lock().unwrap().clear();
    let hear = |done, of| told.lock().unwrap().push((done, of));
    let rest = ingest(stores, &knowledge, IngestOptions::default(), hear).await;
    assert_eq!(rest.unwrap().knowledge, records(66, 64, 0));
    assert_eq!(*told.lock().unwrap(), [(64, 69), (66, 69), (69, 69)]);
}
