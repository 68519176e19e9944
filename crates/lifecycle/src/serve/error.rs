//! What can go wrong in serving.

use std::{io, net::SocketAddr, time::Duration};

/// What can go wrong in serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on: somebody else has it, or it is not this host's.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The drain timeout passed, and something had to be cut off.
    #[error("{requests} requests and {connections} connections were cut off after {after:?}")]
    Aborted {
        /// The requests in flight then.
        requests: usize,
        /// The connections open then, upgraded ones included.
        connections: usize,
        /// How long they were waited for.
        after: Duration,
    },
}
