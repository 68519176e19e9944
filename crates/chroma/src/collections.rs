//! Collections: what holds records of one dimension.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{ChromaClient, Error, Metadata};

/// A collection, as the server describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Collection {
    /// What all requests on records ask for; changes when a collection is deleted and made again.
    pub id: CollectionId,
    /// Its name.
    pub name: String,
    /// The length of its embeddings; `None` until the first record is added.
    #[serde(default)]
    pub dimension: Option<u32>,
    /// What its maker noted on it.
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The database that it belongs to.
    pub database: String,
    #[serde(default)]
    configuration_json: Value,
}

/// The id of a collection (a UUID).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CollectionId(String);

/// How the distance of two embeddings is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Space {
    /// Squared Euclidean distance; the server's choice unless told.
    L2,
    /// One minus the cosine of the angle: 0 for the same direction, 2 for the opposite one.
    Cosine,
    /// One minus the inner product.
    Ip,
}

/// A collection to make.
#[derive(Debug, Clone, Serialize)]
pub struct NewCollection {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Value>,
    get_or_create: bool,
}

/// A part of a list. The default is all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// The most entries; `None` for all.
    pub limit: Option<u32>,
    /// How many entries come before.
    pub offset: u32,
}

// === impl CollectionId ===

impl CollectionId {
    /// The UUID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for CollectionId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Collection ===

impl Collection {
    /// How distances are measured; `None` when the server tells it in a way not known here.
    pub fn space(&self) -> Option<Space> {
        ["hnsw", "spann"]
            .iter()
            .find_map(|index| Space::deserialize(&self.configuration_json[index]["space"]).ok())
    }
}

// === impl NewCollection ===

impl NewCollection {
    /// A collection with the server's defaults. The server wants 3 to 512 characters of
    /// `[a-zA-Z0-9._-]`, a letter or digit first and last.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            metadata: None,
            configuration: None,
            get_or_create: false,
        }
    }

    /// Notes on the collection: strings, numbers and booleans.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// How distances are measured; cannot be changed later.
    pub fn space(mut self, space: Space) -> Self {
        self.configuration = Some(serde_json::json!({ "hnsw": { "space": space } }));
        self
    }
}

// === impl ChromaClient ===

impl ChromaClient {
    /// The collections of the database. A database or tenant that does not exist has an empty
    /// list: the server does not tell the difference here.
    ///
    /// # Errors
    /// As any request.
    pub async fn list_collections(&self, page: Page) -> Result<Vec<Collection>, Error> {
        let mut url = self.collections(&[])?;
        if page != Page::default() {
            let mut query = url.query_pairs_mut();
            if let Some(limit) = page.limit {
                query.append_pair("limit", &limit.to_string());
            }
            query.append_pair("offset", &page.offset.to_string());
        }
        self.get_json(url).await
    }

    /// A collection by its name.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; otherwise as any request.
    pub async fn get_collection(&self, name: &str) -> Result<Collection, Error> {
        self.get_json(self.collections(&[name])?).await
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// [`Error::is_already_exists`] when the name is taken; otherwise as any request.
    pub async fn create_collection(&self, new: &NewCollection) -> Result<Collection, Error> {
        self.post_json(self.collections(&[])?, new).await
    }

    /// The collection of that name as it is, or a new one. What `new` says besides the name holds
    /// only for a new one. Two callers at once get the same collection.
    ///
    /// # Errors
    /// As any request.
    pub async fn get_or_create_collection(&self, new: &NewCollection) -> Result<Collection, Error> {
        let new = NewCollection {
            get_or_create: true,
            ..new.clone()
        };
        self.create_collection(&new).await
    }

    /// Deletes a collection by its name, with all its records.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; otherwise as any request.
    pub async fn delete_collection(&self, name: &str) -> Result<(), Error> {
        self.delete(self.collections(&[name])?).await
    }

    /// How many records a collection holds.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the collection was deleted; otherwise as any request.
    pub async fn count(&self, id: &CollectionId) -> Result<u64, Error> {
        self.get_json(self.collections(&[id.as_str(), "count"])?)
            .await
    }

    /// A URL below the database's collections.
    pub(crate) fn collections(&self, rest: &[&str]) -> Result<Url, Error> {
        let database = [
            "tenants",
            self.tenant(),
            "databases",
            self.database(),
            "collections",
        ];
        self.endpoint(&[&database, rest].concat())
    }
}
