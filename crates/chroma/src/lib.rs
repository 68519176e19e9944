//! A small typed client of the v2 REST API of ChromaDB.
//!
//! The shapes are those of the server's own `/openapi.json` (1.5.9, whose version endpoint
//! answers `"1.0.0"`). Every answer is read up to a bound, every request has a timeout, and every
//! failure says what kind it is ([`Error`]) and whether waiting can help
//! ([`Error::is_transient`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), tria_chroma::Error> {
//! use tria_chroma::{ChromaClient, NewCollection, Query, Record};
//!
//! let chroma = ChromaClient::new("http://127.0.0.1:8000")?;
//! let boxes = chroma.get_or_create_collection(&NewCollection::new("boxes")).await?;
//! chroma
//!     .upsert(&boxes.id, &[Record::new("33cm", vec![0.1, 0.9]).document("a 33 cm box")])
//!     .await?;
//! for hit in chroma.query(&boxes.id, &Query::nearest(vec![0.1, 0.8]).limit(3)).await?.concat() {
//!     println!("{} at {:?}", hit.record.id, hit.distance);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # TLS
//!
//! An `http` URL needs nothing. For an `https` URL the process must have installed a rustls
//! crypto provider (`rustls::crypto::ring::default_provider().install_default()`), or hand in a
//! ready `reqwest::Client`; without either, building answers [`Error::NoCryptoProvider`].

mod auth;
mod base_url;
mod builder;
mod client;
mod collections;
mod error;
mod namespaces;
mod records;
mod search;
mod transport;

pub use auth::Auth;
pub use base_url::UrlProblem;
pub use builder::ClientBuilder;
pub use client::{ChromaClient, Health, PreFlight};
pub use collections::{Collection, CollectionId, NewCollection, Page, Space};
pub use error::{BodyProblem, Error, Excerpt, RecordProblem};
pub use namespaces::{DEFAULT_DATABASE, DEFAULT_TENANT, Database, Tenant};
pub use records::{Metadata, Record, RecordUpdate, Selection};
pub use search::{Get, Hit, Include, Query, StoredRecord};
