//! Brings the vector collections to what the knowledge and the catalogue say.
//!
//! Each record notes the SHA-256 of its text and the model that embedded it, so that only what
//! changed is embedded anew. All vectors of a collection must come from one model: those of
//! another lie elsewhere, and nothing would be found.

mod error;
mod plan;
mod texts;

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tria_chroma::{ChromaClient, Collection, CollectionId, Include, Record, Selection};

pub use error::IngestError;

use crate::{
    Embedder,
    advisory_lock::{self, LockError},
    collections::{COLLECTIONS, KNOWLEDGE, PRODUCTS, ensure_collections},
    ingest::{plan::Plan, texts::Text},
    knowledge::Knowledge,
};

/// The PostgreSQL advisory lock under which collections are filled: the bytes of `triainge`.
pub const LOCK_KEY: i64 = i64::from_be_bytes(*b"triainge");

/// Where things are, for ingesting.
#[derive(Clone, Copy, Debug)]
pub struct Stores<'a> {
    /// The database whose active products are ingested, and that keeps two from ingesting at once.
    pub pool: &'a Pool,
    /// The server of the collections.
    pub chroma: &'a ChromaClient,
    /// What makes vectors of texts.
    pub embedder: &'a Embedder,
}

/// How collections are filled.
#[derive(Clone, Copy, Debug)]
pub struct IngestOptions {
    /// Whether the collections are deleted and made anew, as another model demands. Until it is
    /// done searches find less than there is.
    pub rebuild: bool,
    /// How long to wait for somebody else who is ingesting.
    pub lock_wait: Duration,
}

/// What ingesting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// To `tria_knowledge`.
    pub knowledge: Records,
    /// To `tria_products`.
    pub products: Records,
}

/// What happened to the records of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Records that were embedded and written, for they were new or changed.
    pub embedded: usize,
    /// Records that were not touched.
    pub unchanged: usize,
    /// Records that were deleted, for what they stood for is gone.
    pub deleted: usize,
}

/// Fills both collections, and creates those that are missing: `tria_knowledge` with the passages,
/// `tria_products` with the active products of the database. `progress` hears how many texts are
/// embedded and written, of how many; never without any.
///
/// A second run embeds nothing. One that was interrupted is continued by the next: dropping the
/// future leaves whole records. Two at once do one after the other.
///
/// # Errors
/// [`IngestError`]. Where the model or the dimension does not fit the collections, nothing was
/// written.
pub async fn ingest(
    stores: Stores<'_>,
    knowledge: &Knowledge,
    options: IngestOptions,
    mut progress: impl FnMut(usize, usize) + Send,
) -> Result<Ingested, IngestError> {
    let pooled = stores.pool.get().await.map_err(IngestError::Connect)?;
    // Outside of the pool: the lock belongs to the connection, and goes with it.
    let client = Object::take(pooled);
    let locked = advisory_lock::take(&client, LOCK_KEY, options.lock_wait).await;
    locked.map_err(|error| match error {
        LockError::Database(error) => IngestError::Database(error),
        LockError::Held { waited } => IngestError::Locked { waited },
    })?;
    let passages = knowledge.passages().iter().map(Text::of_passage);
    let wanted = [passages.collect(), texts::of_products(&client).await?];
    let Stores {
        chroma, embedder, ..
    } = stores;
    let ingested = fill(chroma, embedder, wanted, options.rebuild, &mut progress).await?;
    drop(client);
    Ok(ingested)
}

/// How many records go into one request, and are embedded together.
const BATCH: usize = 64;

// === impl IngestOptions ===

impl Default for IngestOptions {
    /// What is there stays; 30 s for somebody else.
    fn default() -> Self {
        Self {
            rebuild: false,
            lock_wait: Duration::from_secs(30),
        }
    }
}

// === impl Records ===

impl Records {
    /// How many records there are now.
    pub fn total(&self) -> usize {
        self.embedded + self.unchanged
    }
}

/// `wanted` is in the order of [`COLLECTIONS`].
async fn fill(
    chroma: &ChromaClient,
    embedder: &Embedder,
    wanted: [Vec<Text>; 2],
    rebuild: bool,
    progress: &mut (impl FnMut(usize, usize) + Send),
) -> Result<Ingested, IngestError> {
    ensure(chroma).await?;
    let mut collections = found(chroma).await?;
    let mut plans = Vec::with_capacity(wanted.len());
    for (collection, texts) in collections.iter().zip(wanted) {
        let stored = if rebuild {
            Vec::new()
        } else {
            let get = tria_chroma::Get::all().include([Include::Metadatas]);
            let stored = chroma.get(&collection.id, &get).await;
            stored.map_err(IngestError::Collections)?
        };
        plans.push(Plan::of(&collection.name, texts, stored, embedder.model())?);
    }

    // The first vectors tell the dimension before anything is written or deleted.
    let of = plans.iter().map(|plan| plan.stale.len()).sum();
    let mut ahead = match plans.iter().find(|plan| !plan.stale.is_empty()) {
        Some(plan) => Some(embed(embedder, first_batch(&plan.stale)).await?),
        None => None,
    };
    let dimension = ahead.as_ref().and_then(|vectors| vectors.first());
    if rebuild {
        for name in COLLECTIONS {
            match chroma.delete_collection(name).await {
                Err(error) if !error.is_not_found() => return Err(IngestError::Collections(error)),
                _ => {}
            }
        }
        ensure(chroma).await?;
        collections = found(chroma).await?;
    } else if let Some(vector) = dimension {
        for collection in &collections {
            same_dimension(collection, vector.len(), embedder.model())?;
        }
    }

    let mut done = 0;
    let mut records = [Records::default(); 2];
    for ((plan, collection), records) in plans.iter().zip(&collections).zip(&mut records) {
        for batch in plan.stale.chunks(BATCH) {
            let vectors = match ahead.take() {
                Some(vectors) => vectors,
                None => embed(embedder, batch).await?,
            };
            write(chroma, &collection.id, batch, vectors, embedder.model()).await?;
            done += batch.len();
            progress(done, of);
        }
        for gone in plan.gone.chunks(BATCH) {
            let which = Selection::ids(gone);
            let deleted = chroma.delete_records(&collection.id, &which).await;
            deleted.map_err(IngestError::Collections)?;
        }
        *records = Records {
            embedded: plan.stale.len(),
            unchanged: plan.unchanged,
            deleted: plan.gone.len(),
        };
    }
    let [knowledge, products] = records;
    Ok(Ingested {
        knowledge,
        products,
    })
}

async fn ensure(chroma: &ChromaClient) -> Result<(), IngestError> {
    let ensured = ensure_collections(chroma).await;
    ensured.map(|_| ()).map_err(IngestError::Collections)
}

/// Both collections, in the order of [`COLLECTIONS`].
async fn found(chroma: &ChromaClient) -> Result<[Collection; 2], IngestError> {
    let knowledge = chroma.get_collection(KNOWLEDGE).await;
    let products = chroma.get_collection(PRODUCTS).await;
    Ok([
        knowledge.map_err(IngestError::Collections)?,
        products.map_err(IngestError::Collections)?,
    ])
}

fn same_dimension(collection: &Collection, given: usize, model: &str) -> Result<(), IngestError> {
    match collection.dimension {
        Some(stored) if usize::try_from(stored) != Ok(given) => Err(IngestError::OtherDimension {
            collection: collection.name.clone(),
            stored,
            given,
            model: model.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn first_batch(texts: &[Text]) -> &[Text] {
    &texts[..texts.len().min(BATCH)]
}

async fn embed(embedder: &Embedder, texts: &[Text]) -> Result<Vec<Vec<f32>>, IngestError> {
    let texts: Vec<&str> = texts.iter().map(Text::text).collect();
    embedder.embed(&texts).await.map_err(IngestError::Embed)
}

async fn write(
    chroma: &ChromaClient,
    collection: &CollectionId,
    texts: &[Text],
    vectors: Vec<Vec<f32>>,
    model: &str,
) -> Result<(), IngestError> {
    let records = texts.iter().zip(vectors).map(|(text, vector)| {
        Record::new(text.id(), vector)
            .document(text.text())
            .metadata(text.metadata(model))
    });
    let records: Vec<Record> = records.collect();
    let written = chroma.upsert(collection, &records).await;
    written.map_err(IngestError::Collections)
}
