//! How full the pools of a process are.

use std::{fmt, sync::Arc};

use serde::Serialize;

/// How full a pool of connections is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolStatus {
    /// Connections that are open.
    pub size: usize,
    /// Open connections that nobody uses.
    pub available: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// The most connections that may be open.
    pub max: usize,
}

/// A pool by its name, as in `database`, and how to look at it. Looking must cost nothing: no
/// connection is taken.
#[derive(Clone)]
pub struct Pool {
    name: &'static str,
    look: Arc<dyn Fn() -> PoolStatus + Send + Sync>,
}

// === impl Pool ===

impl Pool {
    /// A pool.
    pub fn new(name: &'static str, look: impl Fn() -> PoolStatus + Send + Sync + 'static) -> Self {
        Self {
            name,
            look: Arc::new(look),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How full it is at this moment.
    pub fn status(&self) -> PoolStatus {
        (self.look)()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
