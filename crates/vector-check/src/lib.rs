//! A `ChromaDB` check over an injected [`tria_chroma::ChromaClient`].
//!
//! - [`VectorCheck`] proves that a new enough `ChromaDB` answers, that the client's tenant and
//!   database exist, and that the collections which the application needs are there
//!   ([`CollectionSpec`]), of the right dimension and full enough.
//! - [`LoginCheck`] proves that a new connection still works, which open ones cannot tell.
//! - [`codes`] is the closed list of what it can find.
//!
//! It proves what it asked for and no more: a count reads no embedding, so it does not say that a
//! search finds anything sensible.
//!
//! ```no_run
//! use tria_chroma::ChromaClient;
//! use tria_vector_check::{CollectionSpec, VectorCheck};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let chroma = ChromaClient::new("http://127.0.0.1:8000")?;
//! let check = VectorCheck::new(chroma).collections([
//!     CollectionSpec::new("knowledge"),
//!     CollectionSpec::new("products").dimension(384).min_count(1),
//! ])?;
//! # Ok(())
//! # }
//! ```

mod check;
pub mod codes;
mod collections;
mod fault;
mod login;
mod spec;
mod version;

pub use check::VectorCheck;
pub use login::LoginCheck;
pub use spec::{CollectionSpec, InvalidSpec};
pub use version::Version;
