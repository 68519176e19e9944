//! The collections as they were when they were looked up, and what is nearest in them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::Mutex;
use tria_chroma::{
    ChromaClient, Collection, CollectionId, Get, Hit, Include, Query, Space, StoredRecord,
};

use super::{Kind, MissingReason, Passage, RetrievalError, words};
use crate::collections::{KNOWLEDGE, PRODUCTS};

/// How many records of each collection are ranked. The words may lift one that lies further off.
const NEAREST: u32 = 40;

/// Where the library comes from, and the last that was read.
#[derive(Debug)]
pub(super) struct Shelves {
    chroma: ChromaClient,
    library: RwLock<Option<Arc<Library>>>,
    /// One at a time reads the library, the others wait for it within their own limits.
    reading: Mutex<()>,
}

/// Both collections.
#[derive(Debug)]
pub(super) struct Library {
    knowledge: Shelf,
    products: Shelf,
    /// How much each term tells: the rarer, the more.
    weights: HashMap<String, f32>,
    /// What a term tells that stands nowhere.
    rarest: f32,
}

/// A collection.
#[derive(Debug)]
struct Shelf {
    name: &'static str,
    id: CollectionId,
    dimension: Option<u32>,
    documents: HashMap<String, Arc<Document>>,
}

/// A record, and its terms.
#[derive(Debug)]
pub(super) struct Document {
    /// Its score is still 0.
    pub(super) passage: Passage,
    /// With the comments, which say how customers put it.
    stored: String,
    /// How often each term stands in it, those of the comments included.
    terms: HashMap<String, f32>,
}

/// A document, and how near it lies.
#[derive(Debug)]
pub(super) struct Near {
    pub(super) document: Arc<Document>,
    /// -1 to 1.
    pub(super) cosine: f32,
}

/// How a search in one library ended, other than by an error.
enum Search {
    Done(Vec<Near>),
    /// What was found is not what was read before.
    Outdated(Vec<Near>),
    /// A collection is gone, or empty.
    Gone(&'static str, MissingReason),
}

// === impl Shelves ===

impl Shelves {
    pub(super) fn new(chroma: ChromaClient) -> Self {
        Self {
            chroma,
            library: RwLock::new(None),
            reading: Mutex::new(()),
        }
    }

    /// What is nearest to a vector in both collections, with the library that it is from.
    pub(super) async fn nearest(
        &self,
        vector: &[f32],
    ) -> Result<(Arc<Library>, Vec<Near>), RetrievalError> {
        let library = self.library(None).await?;
        match library.search(&self.chroma, vector).await? {
            Search::Done(near) => return Ok((library, near)),
            Search::Outdated(_) | Search::Gone(..) => {}
        }
        // Ingested or rebuilt since it was read.
        let library = self.library(Some(&library)).await?;
        match library.search(&self.chroma, vector).await? {
            // Somebody is ingesting just now: the records are right, only the weights are old.
            Search::Done(near) | Search::Outdated(near) => Ok((library, near)),
            Search::Gone(collection, reason) => Err(RetrievalError::Missing { collection, reason }),
        }
    }

    /// The library, read if there is none yet, or none but the one that is outdated.
    async fn library(
        &self,
        outdated: Option<&Arc<Library>>,
    ) -> Result<Arc<Library>, RetrievalError> {
        let wanted =
            |library: &Arc<Library>| !outdated.is_some_and(|old| Arc::ptr_eq(old, library));
        if let Some(library) = self.last().filter(wanted) {
            return Ok(library);
        }
        let _reading = self.reading.lock().await;
        if let Some(library) = self.last().filter(wanted) {
            return Ok(library);
        }
        let library = Arc::new(Library::read(&self.chroma).await?);
        let mut last = self.library.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::clone(&library));
        Ok(library)
    }

    fn last(&self) -> Option<Arc<Library>> {
        let last = self.library.read().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

// === impl Library ===

impl Library {
    async fn read(chroma: &ChromaClient) -> Result<Self, RetrievalError> {
        let knowledge = Shelf::read(chroma, KNOWLEDGE);
        let products = Shelf::read(chroma, PRODUCTS);
        let (knowledge, products) = tokio::try_join!(knowledge, products)?;
        let mut counts: HashMap<String, u32> = HashMap::new();
        let documents = || {
            knowledge
                .documents
                .values()
                .chain(products.documents.values())
        };
        for term in documents().flat_map(|document| document.terms.keys()) {
            *counts.entry(term.clone()).or_default() += 1;
        }
        #[allow(clippy::cast_precision_loss)] // There are not that many.
        let all = documents().count() as f32;
        #[allow(clippy::cast_precision_loss)]
        let weight = |count: u32| (1.0 + all / count as f32).ln();
        let weights = counts
            .into_iter()
            .map(|(term, count)| (term, weight(count)));
        Ok(Self {
            weights: weights.collect(),
            rarest: weight(1),
            knowledge,
            products,
        })
    }

    /// How much a term tells; that of a term that stands nowhere with `false`.
    pub(super) fn weight(&self, term: &str) -> (f32, bool) {
        let weight = self.weights.get(term);
        weight.map_or((self.rarest, false), |weight| (*weight, true))
    }

    async fn search(
        &self,
        chroma: &ChromaClient,
        vector: &[f32],
    ) -> Result<Search, RetrievalError> {
        for shelf in [&self.knowledge, &self.products] {
            shelf.takes(vector)?;
        }
        let knowledge = self.knowledge.search(chroma, vector);
        let products = self.products.search(chroma, vector);
        let (knowledge, products) = tokio::try_join!(knowledge, products)?;
        Ok(match (knowledge, products) {
            (gone @ Search::Gone(..), _) | (_, gone @ Search::Gone(..)) => gone,
            (Search::Done(one), Search::Done(other)) => {
                Search::Done([one, other].into_iter().flatten().collect())
            }
            (
                Search::Done(one) | Search::Outdated(one),
                Search::Done(other) | Search::Outdated(other),
            ) => Search::Outdated(one.into_iter().chain(other).collect()),
        })
    }
}

// === impl Shelf ===

impl Shelf {
    async fn read(chroma: &ChromaClient, name: &'static str) -> Result<Self, RetrievalError> {
        let missing = |reason| RetrievalError::Missing {
            collection: name,
            reason,
        };
        let or_missing = |error: tria_chroma::Error| {
            if error.is_not_found() {
                missing(MissingReason::Absent)
            } else {
                error.into()
            }
        };
        let collection: Collection = chroma.get_collection(name).await.map_err(or_missing)?;
        if collection.space() != Some(Space::Cosine) {
            return Err(missing(MissingReason::OtherSpace));
        }
        let get = Get::all().include([Include::Documents, Include::Metadatas]);
        let records = chroma.get(&collection.id, &get).await.map_err(or_missing)?;
        if records.is_empty() {
            return Err(missing(MissingReason::Empty));
        }
        let documents = records.into_iter().map(|record| {
            let id = record.id.clone();
            (id, Arc::new(Document::of(name, record)))
        });
        Ok(Self {
            name,
            id: collection.id,
            dimension: collection.dimension,
            documents: documents.collect(),
        })
    }

    /// Whether a vector can be compared with those of the collection.
    fn takes(&self, vector: &[f32]) -> Result<(), RetrievalError> {
        match self.dimension {
            Some(stored) if usize::try_from(stored) != Ok(vector.len()) => {
                let given = vector.len();
                Err(RetrievalError::Missing {
                    collection: self.name,
                    reason: MissingReason::OtherDimension { stored, given },
                })
            }
            _ => Ok(()),
        }
    }

    async fn search(
        &self,
        chroma: &ChromaClient,
        vector: &[f32],
    ) -> Result<Search, RetrievalError> {
        let query = Query::nearest(vector.to_vec()).limit(NEAREST);
        let hits = match chroma.query(&self.id, &query).await {
            Ok(hits) => hits.into_iter().flatten(),
            Err(error) if error.is_not_found() => {
                return Ok(Search::Gone(self.name, MissingReason::Absent));
            }
            Err(error) => return Err(error.into()),
        };
        let mut outdated = false;
        let mut near = Vec::new();
        for Hit {
            record, distance, ..
        } in hits
        {
            // Without a distance it was not found by nearness.
            let Some(distance) = distance else { continue };
            let known = self.documents.get(&record.id);
            let known = known.filter(|known| record.document.as_deref() == Some(&*known.stored));
            outdated |= known.is_none();
            let document = match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(Document::of(self.name, record)),
            };
            let cosine = 1.0 - distance;
            near.push(Near { document, cosine });
        }
        if near.is_empty() {
            return Ok(Search::Gone(self.name, MissingReason::Empty));
        }
        Ok(if outdated {
            Search::Outdated(near)
        } else {
            Search::Done(near)
        })
    }
}

// === impl Document ===

impl Document {
    /// How often a term stands in it; `None` where it does not.
    pub(super) fn times(&self, term: &str) -> Option<f32> {
        self.terms.get(term).copied()
    }

    fn of(collection: &str, record: StoredRecord) -> Self {
        let stored = record.document.unwrap_or_default();
        let text = without_comments(&stored);
        let note = |name: &str| {
            let value = record.metadata.as_ref()?.get(name)?.as_str()?;
            Some(value.to_owned())
        };
        let first = text.lines().next().unwrap_or_default().to_owned();
        let passage = if collection == PRODUCTS {
            Passage {
                source: PRODUCTS.to_owned(),
                section: first,
                score: 0.0,
                kind: Kind::Product {
                    sku: note("sku").unwrap_or(record.id),
                },
                text,
            }
        } else {
            Passage {
                source: note("source").unwrap_or_else(|| collection.to_owned()),
                section: note("section").unwrap_or(first),
                score: 0.0,
                kind: Kind::Knowledge,
                text,
            }
        };
        Self {
            terms: counted(&stored),
            stored,
            passage,
        }
    }
}

/// What stands between `<!--` and `-->` is for finding a passage, not for reading it.
fn without_comments(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before.trim_end());
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn counted(text: &str) -> HashMap<String, f32> {
    let mut counts = HashMap::new();
    for term in words::terms(text) {
        *counts.entry(term).or_default() += 1.0;
    }
    counts
}
