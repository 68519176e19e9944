//! HTTP serving that drains: no request that was accepted is lost, and nothing holds up the end.
//!
//! A [`Server`] is bound, and serves any [`tower::Service`], an axum router for example. When the
//! process stops, its [hook](ServerHandle::hook) takes it through these steps:
//!
//! 1. **Pre-drain**, as soon as a stop is asked for: connections are still accepted and requests
//!    still served, each answer with `Connection: close` (on HTTP/2: followed by GOAWAY), so that
//!    clients leave by themselves. [`pre_drain`](crate::LifecycleBuilder::pre_drain) says how long.
//! 2. **Close**: what waits in the kernel's queue is accepted and served, then the listener is
//!    closed. Idle connections are closed at once, after a last look for a request in them.
//! 3. **Finish**: requests in flight are finished; streams that watch the [`DrainSignal`] send a
//!    last event and end.
//! 4. **Abort**: what is left at the [drain timeout](Server::drain_timeout) is cut off and counted
//!    in the [`DrainReport`].
//!
//! ```
//! use axum::{Router, routing::get};
//! use tria_lifecycle::{Lifecycle, serve::Server};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = Router::new().route("/", get(async || "hello"));
//! let server = Server::bind(([127, 0, 0, 1], 0).into())?.serve(router);
//! let lifecycle = Lifecycle::builder().hook(server.hook("http")).build()?;
//!
//! lifecycle.shutdown_handle().shutdown("the example is over");
//! assert_eq!(lifecycle.run().await.exit_code, 0);
//! # Ok(())
//! # }
//! ```

mod accept;
mod connection;
mod core;
mod drain;
mod error;
mod handle;
mod manners;
mod request;
mod server;
mod signal;
mod socket;

pub use drain::{DrainReport, Load};
pub use error::ServeError;
pub use handle::ServerHandle;
pub use server::Server;
pub use signal::DrainSignal;
