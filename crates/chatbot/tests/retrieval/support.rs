//! What the tests share.

use std::time::Duration;

use tria_chatbot::{
    Embedder,
    collections::{KNOWLEDGE, PRODUCTS, ensure_collections},
    retrieval::{Found, Kind, RetrievalError, RetrievalOptions, Retriever},
};
use tria_chroma::{ChromaClient, DEFAULT_TENANT, Metadata, Record};
use tria_devstack::ChromaDatabase;

/// Long enough for a machine that is busy with other things.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const COSTS: &str = "Delivery charge\nDelivery is free for orders of 150.00 and more. \
                                Below that the delivery charge is 9.50.\n\
                                <!-- asked: what does shipping cost -->";
pub(crate) const RETURNS: &str = "Returning goods\nUnopened packs can be returned within 14 days.";
pub(crate) const KRAFT: &str = "Kraft pizza box 12 inch\nsize: 12 inch\nBrown box for a pizza.";
pub(crate) const NAPKINS: &str = "White napkins\nsize: 33 x 33 cm\nSoft napkins, folded in four.";

/// Collections of a test's own.
pub(crate) struct Shelves {
    pub(crate) chroma: ChromaClient,
    pub(crate) embedder: Embedder,
    database: ChromaDatabase,
}

impl Shelves {
    pub(crate) async fn empty() -> Self {
        let stack = tria_devstack::shared().await.unwrap();
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let model = stack.embedding_model();
        let embedder = Embedder::at(&stack.model_base_url(), stack.model_key(), model);
        let database = stack.chroma_database().await.unwrap();
        let chroma = client(&stack.chroma_url(), database.name());
        ensure_collections(&chroma).await.unwrap();
        Self {
            chroma,
            embedder,
            database,
        }
    }

    pub(crate) async fn filled() -> Self {
        let shelves = Self::empty().await;
        shelves
            .write_knowledge("delivery.md#Delivery charge", COSTS)
            .await;
        shelves
            .write_knowledge("returns.md#Returning goods", RETURNS)
            .await;
        shelves.write_product("PB-12-KR", KRAFT).await;
        shelves.write_product("NA-WH", NAPKINS).await;
        shelves
    }

    pub(crate) async fn write_knowledge(&self, id: &str, text: &str) {
        let (source, section) = id.split_once('#').unwrap();
        let notes = [("source", source), ("section", section)];
        self.write(KNOWLEDGE, id, text, &notes).await;
    }

    pub(crate) async fn write_product(&self, sku: &str, text: &str) {
        self.write(PRODUCTS, sku, text, &[("sku", sku)]).await;
    }

    async fn write(&self, collection: &str, id: &str, text: &str, notes: &[(&str, &str)]) {
        let mut metadata = Metadata::new();
        for (name, value) in notes {
            metadata.insert((*name).to_owned(), (*value).into());
        }
        let vector = self.vector(text).await;
        self.write_vector(collection, id, text, vector, metadata)
            .await;
    }

    pub(crate) async fn write_vector(
        &self,
        collection: &str,
        id: &str,
        text: &str,
        vector: Vec<f32>,
        metadata: Metadata,
    ) {
        let record = Record::new(id, vector).document(text).metadata(metadata);
        let collection = self.chroma.get_collection(collection).await.unwrap();
        self.chroma.upsert(&collection.id, &[record]).await.unwrap();
    }

    pub(crate) async fn vector(&self, text: &str) -> Vec<f32> {
        self.embedder.embed(&[text]).await.unwrap().remove(0)
    }

    pub(crate) fn retriever(&self) -> Retriever {
        Retriever::new(self.chroma.clone(), RetrievalOptions::default())
    }

    /// The same collections, through another address.
    pub(crate) fn retriever_at(&self, url: &str) -> Retriever {
        let chroma = client(url, self.database.name());
        Retriever::new(chroma, RetrievalOptions::default())
    }

    pub(crate) async fn ask(
        &self,
        retriever: &Retriever,
        question: &str,
    ) -> Result<Found, RetrievalError> {
        let vector = self.vector(question).await;
        retriever.passages(question, &vector, LIMIT).await
    }
}

fn client(url: &str, database: &str) -> ChromaClient {
    let builder = ChromaClient::builder(url).tenant(DEFAULT_TENANT);
    builder.database(database).build().unwrap()
}

/// Headings, and the numbers of products.
pub(crate) fn names(found: &Found) -> Vec<&str> {
    let names = found.passages.iter().map(|passage| match &passage.kind {
        Kind::Knowledge => passage.section.as_str(),
        Kind::Product { sku } => sku.as_str(),
    });
    names.collect()
}
