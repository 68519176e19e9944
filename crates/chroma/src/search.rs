//! Reading records: by id or filter, and by nearness.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::records::embedding_problem;
use crate::{BodyProblem, ChromaClient, CollectionId, Error, Excerpt, Metadata};

/// Which fields an answer carries. Ids always come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Include {
    /// The texts.
    Documents,
    /// The notes.
    Metadatas,
    /// The embeddings, large.
    Embeddings,
    /// The distances; of queries only.
    Distances,
}

/// Which records to read. The default is all, with documents and metadata.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Get {
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<String>>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    matching: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    where_document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Vec<Include>>,
}

/// A search for the records nearest to embeddings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Query {
    #[serde(rename = "query_embeddings")]
    embeddings: Vec<Vec<f32>>,
    n_results: u32,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    matching: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    where_document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Vec<Include>>,
}

/// A record that was read. A field is `None` when the record has none or it was not asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// Its id.
    pub id: String,
    /// Its embedding; in cosine collections the server stores it at length one.
    pub embedding: Option<Vec<f32>>,
    /// Its text.
    pub document: Option<String>,
    /// Its notes.
    pub metadata: Option<Metadata>,
}

/// A record that a query found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The record.
    pub record: StoredRecord,
    /// How far it is, by the collection's [`crate::Space`]; smaller is nearer.
    pub distance: Option<f32>,
}

type Column<T> = Option<Vec<Option<T>>>;

#[derive(Deserialize)]
struct GetAnswer {
    ids: Vec<String>,
    #[serde(default)]
    embeddings: Column<Vec<f32>>,
    #[serde(default)]
    documents: Column<String>,
    #[serde(default)]
    metadatas: Column<Metadata>,
}

#[derive(Deserialize)]
struct QueryAnswer {
    ids: Vec<Vec<String>>,
    #[serde(default)]
    embeddings: Option<Vec<Vec<Option<Vec<f32>>>>>,
    #[serde(default)]
    documents: Option<Vec<Vec<Option<String>>>>,
    #[serde(default)]
    metadatas: Option<Vec<Vec<Option<Metadata>>>>,
    #[serde(default)]
    distances: Option<Vec<Vec<Option<f32>>>>,
}

// === impl Get ===

impl Get {
    /// All records.
    pub fn all() -> Self {
        Self::default()
    }

    /// The records of these ids.
    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self {
            ids: Some(ids.into_iter().map(Into::into).collect()),
            ..Self::default()
        }
    }

    /// Only records whose metadata match, such as `{"kind": "box"}` or `{"price": {"$gt": 2}}`.
    pub fn matching(mut self, filter: Value) -> Self {
        self.matching = Some(filter);
        self
    }

    /// Only records whose text matches, such as `{"$contains": "pizza"}`.
    pub fn document_matching(mut self, filter: Value) -> Self {
        self.where_document = Some(filter);
        self
    }

    /// The most records.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How many records to skip.
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }

    /// The fields that the answer carries.
    pub fn include(mut self, fields: impl IntoIterator<Item = Include>) -> Self {
        self.include = Some(fields.into_iter().collect());
        self
    }
}

// === impl Query ===

impl Query {
    /// The ten records nearest to an embedding.
    pub fn nearest(embedding: Vec<f32>) -> Self {
        Self::nearest_to_each(vec![embedding])
    }

    /// The ten records nearest to each of several embeddings, in one request.
    pub fn nearest_to_each(embeddings: Vec<Vec<f32>>) -> Self {
        Self {
            embeddings,
            n_results: 10,
            matching: None,
            where_document: None,
            include: None,
        }
    }

    /// The most records for each embedding.
    pub fn limit(mut self, limit: u32) -> Self {
        self.n_results = limit;
        self
    }

    /// Only records whose metadata match, such as `{"kind": "box"}` or `{"price": {"$gt": 2}}`.
    pub fn matching(mut self, filter: Value) -> Self {
        self.matching = Some(filter);
        self
    }

    /// Only records whose text matches, such as `{"$contains": "pizza"}`.
    pub fn document_matching(mut self, filter: Value) -> Self {
        self.where_document = Some(filter);
        self
    }

    /// The fields that the answer carries; documents, metadata and distances unless told.
    pub fn include(mut self, fields: impl IntoIterator<Item = Include>) -> Self {
        self.include = Some(fields.into_iter().collect());
        self
    }
}

// === impl ChromaClient ===

impl ChromaClient {
    /// Reads records by id or filter.
    ///
    /// # Errors
    /// Status 400 `InvalidArgumentError` for a filter that the server does not understand;
    /// otherwise as any request.
    pub async fn get(&self, id: &CollectionId, get: &Get) -> Result<Vec<StoredRecord>, Error> {
        let answer: GetAnswer = self
            .post_json(self.collections(&[id.as_str(), "get"])?, get)
            .await?;
        rows(
            answer.ids,
            answer.embeddings,
            answer.documents,
            answer.metadatas,
        )
    }

    /// Finds the nearest records: for each embedding a list, nearest first.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for an embedding that is empty or not finite; status 400
    /// `InvalidArgumentError` for another dimension than the collection's; otherwise as any request.
    pub async fn query(&self, id: &CollectionId, query: &Query) -> Result<Vec<Vec<Hit>>, Error> {
        for (index, embedding) in query.embeddings.iter().enumerate() {
            if let Some(problem) = embedding_problem(embedding) {
                return Err(Error::InvalidRecord { index, problem });
            }
        }
        let url = self.collections(&[id.as_str(), "query"])?;
        let answer: QueryAnswer = self.post_json(url, query).await?;
        answer.into_hits()
    }
}

// === impl QueryAnswer ===

impl QueryAnswer {
    fn into_hits(self) -> Result<Vec<Vec<Hit>>, Error> {
        let queries = self.ids.len();
        let embeddings = spread(self.embeddings, queries)?;
        let documents = spread(self.documents, queries)?;
        let metadatas = spread(self.metadatas, queries)?;
        let distances = spread(self.distances, queries)?;
        self.ids
            .into_iter()
            .zip(embeddings)
            .zip(documents)
            .zip(metadatas)
            .zip(distances)
            .map(|((((ids, embeddings), documents), metadatas), distances)| {
                let distances = spread(distances, ids.len())?;
                let rows = rows(ids, embeddings, documents, metadatas)?.into_iter();
                Ok(rows
                    .zip(distances)
                    .map(|(record, distance)| Hit {
                        record,
                        distance: distance.flatten(),
                    })
                    .collect())
            })
            .collect()
    }
}

fn rows(
    ids: Vec<String>,
    embeddings: Column<Vec<f32>>,
    documents: Column<String>,
    metadatas: Column<Metadata>,
) -> Result<Vec<StoredRecord>, Error> {
    let embeddings = spread(embeddings, ids.len())?;
    let documents = spread(documents, ids.len())?;
    let metadatas = spread(metadatas, ids.len())?;
    let fields = embeddings.into_iter().zip(documents).zip(metadatas);
    Ok(ids
        .into_iter()
        .zip(fields)
        .map(|(id, ((embedding, document), metadata))| StoredRecord {
            id,
            embedding: embedding.flatten(),
            document: document.flatten(),
            metadata: metadata.flatten(),
        })
        .collect())
}

/// One entry for each id; a column of another length would give a record another's fields.
fn spread<T>(column: Option<Vec<T>>, len: usize) -> Result<Vec<Option<T>>, Error> {
    match column {
        Some(column) if column.len() == len => Ok(column.into_iter().map(Some).collect()),
        Some(_) => Err(Error::UnexpectedBody {
            status: 200,
            problem: BodyProblem::Shape,
            excerpt: Excerpt::of("columns of different lengths"),
        }),
        None => Ok(std::iter::repeat_with(|| None).take(len).collect()),
    }
}
