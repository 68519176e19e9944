//! Writing records.

use serde::Serialize;
use serde_json::Value;

use crate::{ChromaClient, CollectionId, Error, RecordProblem};

/// Notes on a record or a collection: names to strings, numbers or booleans.
pub type Metadata = serde_json::Map<String, Value>;

/// A record to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    id: String,
    embedding: Vec<f32>,
    document: Option<String>,
    metadata: Option<Metadata>,
}

/// A change to a record. What is not said stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordUpdate {
    id: String,
    embedding: Option<Vec<f32>>,
    document: Option<String>,
    metadata: Option<Metadata>,
}

/// Which records to delete. There is no "all" on purpose: delete the collection for that.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Selection {
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<String>>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    matching: Option<Value>,
}

/// The wire has a column for each field.
#[derive(Serialize)]
struct Columns<'a> {
    ids: Vec<&'a str>,
    embeddings: Vec<Option<&'a [f32]>>,
    documents: Vec<Option<&'a str>>,
    metadatas: Vec<Option<&'a Metadata>>,
}

// === impl Record ===

impl Record {
    /// A record with its id, unique in the collection, and its embedding.
    pub fn new(id: impl Into<String>, embedding: Vec<f32>) -> Self {
        Self {
            id: id.into(),
            embedding,
            document: None,
            metadata: None,
        }
    }

    /// The text that the embedding stands for.
    pub fn document(mut self, document: impl Into<String>) -> Self {
        self.document = Some(document.into());
        self
    }

    /// Notes that queries can filter by.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

// === impl RecordUpdate ===

impl RecordUpdate {
    /// A change to the record of that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            embedding: None,
            document: None,
            metadata: None,
        }
    }

    /// Another embedding.
    pub fn embedding(mut self, embedding: Vec<f32>) -> Self {
        self.embedding = Some(embedding);
        self
    }

    /// Another text.
    pub fn document(mut self, document: impl Into<String>) -> Self {
        self.document = Some(document.into());
        self
    }

    /// Notes to set; those not named stay, those named `null` go.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

// === impl Selection ===

impl Selection {
    /// The records of these ids.
    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self {
            ids: Some(ids.into_iter().map(Into::into).collect()),
            matching: None,
        }
    }

    /// The records whose metadata match, such as `{"kind": "box"}` or `{"price": {"$gt": 2}}`.
    pub fn matching(filter: Value) -> Self {
        Self {
            ids: None,
            matching: Some(filter),
        }
    }
}

// === impl ChromaClient ===

impl ChromaClient {
    /// Adds records. **An id that exists already is left as it is**, and the server answers success
    /// all the same; [`ChromaClient::upsert`] overwrites. Within one call the first of two equal ids
    /// wins. The first record decides the collection's dimension.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`]; status 400 `InvalidArgumentError` for another dimension than the
    /// collection's; status 413 beyond the server's longest body (40 MB unless configured);
    /// otherwise as any request.
    pub async fn add(&self, id: &CollectionId, records: &[Record]) -> Result<(), Error> {
        self.write(id, "add", records.iter().map(Row::from)).await
    }

    /// Adds records, and overwrites those whose id exists.
    ///
    /// # Errors
    /// As [`ChromaClient::add`].
    pub async fn upsert(&self, id: &CollectionId, records: &[Record]) -> Result<(), Error> {
        self.write(id, "upsert", records.iter().map(Row::from))
            .await
    }

    /// Changes records. An id that does not exist is ignored by the server.
    ///
    /// # Errors
    /// As [`ChromaClient::add`].
    pub async fn update(&self, id: &CollectionId, changes: &[RecordUpdate]) -> Result<(), Error> {
        self.write(id, "update", changes.iter().map(Row::from))
            .await
    }

    /// Deletes records. Ids that do not exist are ignored by the server.
    ///
    /// # Errors
    /// As any request.
    pub async fn delete_records(&self, id: &CollectionId, which: &Selection) -> Result<(), Error> {
        self.post(self.collections(&[id.as_str(), "delete"])?, which)
            .await
    }

    async fn write<'a>(
        &self,
        id: &CollectionId,
        verb: &str,
        rows: impl Iterator<Item = Row<'a>>,
    ) -> Result<(), Error> {
        let columns = Columns::from_rows(rows)?;
        self.post(self.collections(&[id.as_str(), verb])?, &columns)
            .await
    }
}

// === impl Columns ===

struct Row<'a> {
    id: &'a str,
    embedding: Option<&'a [f32]>,
    document: Option<&'a str>,
    metadata: Option<&'a Metadata>,
}

impl<'a> From<&'a Record> for Row<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            id: &record.id,
            embedding: Some(&record.embedding),
            document: record.document.as_deref(),
            metadata: record.metadata.as_ref(),
        }
    }
}

impl<'a> From<&'a RecordUpdate> for Row<'a> {
    fn from(change: &'a RecordUpdate) -> Self {
        Self {
            id: &change.id,
            embedding: change.embedding.as_deref(),
            document: change.document.as_deref(),
            metadata: change.metadata.as_ref(),
        }
    }
}

impl<'a> Columns<'a> {
    fn from_rows(rows: impl Iterator<Item = Row<'a>>) -> Result<Self, Error> {
        let mut columns = Self {
            ids: vec![],
            embeddings: vec![],
            documents: vec![],
            metadatas: vec![],
        };
        for (index, row) in rows.enumerate() {
            if let Some(problem) = row.embedding.and_then(embedding_problem) {
                return Err(Error::InvalidRecord { index, problem });
            }
            columns.ids.push(row.id);
            columns.embeddings.push(row.embedding);
            columns.documents.push(row.document);
            columns.metadatas.push(row.metadata);
        }
        Ok(columns)
    }
}

pub(crate) fn embedding_problem(embedding: &[f32]) -> Option<RecordProblem> {
    if embedding.is_empty() {
        Some(RecordProblem::Empty)
    } else if embedding.iter().any(|number| !number.is_finite()) {
        Some(RecordProblem::NotFinite)
    } else {
        None
    }
}
