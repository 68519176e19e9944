//! Checks of an OpenAI-compatible API: OpenAI itself, or any server that speaks its protocol.
//!
//! ```no_run
//! # fn main() -> Result<(), tria_llm_check::EndpointError> {
//! use tria_llm_check::{EndpointOptions, LlmCheck};
//!
//! let endpoint = EndpointOptions::new("sk-…").build()?;
//! let check = LlmCheck::new(&endpoint, "gpt-4o-mini").embedding_model("text-embedding-3-small");
//! let client = endpoint.client(); // async-openai, over the same connections
//! # Ok(()) }
//! ```
//!
//! # What a pass proves
//! That the server answers at the base URL as an OpenAI-compatible API does, that it takes the
//! key, and that it offers the models.
//!
//! # What it does not prove
//! That a completion works. `GET /models/{model}` costs nothing, and for that reason knows
//! nothing about the quota, the balance, the rate limit of completions, or what the model says.
//! [`LlmCheck::completion_probe`] and [`LlmCheck::embedding_probe`] prove those, and are billed.
//!
//! Nor that a new connection can be made, since open ones are used again: [`LoginCheck`] does.
//!
//! # Why not through async-openai's own calls
//! Its client gives up the HTTP status of every error body that it cannot parse (llama.cpp sends
//! an integer where it expects a string), logs such bodies, which may echo the key, and reads
//! bodies of any size. So the probes take the URL and the headers from its `Config`, and send and
//! read by themselves, tolerant of what compatible servers leave out.
//!
//! Codes: [`codes::ALL`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod base_url;
mod check;
pub mod codes;
mod endpoint;
mod tls;

mod call;
mod completion;
mod embedding;
mod fault;
mod login;
mod models;
mod refusal;
mod scrub;
mod wait;
mod wire;

pub use base_url::BaseUrlProblem;
pub use check::LlmCheck;
pub use endpoint::{Endpoint, EndpointError, EndpointOptions};
pub use login::LoginCheck;
pub use tls::{TlsError, client_config};
