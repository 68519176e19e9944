//! Numbers that a service brings to its metrics.

use std::{fmt, sync::Arc};

/// A family of samples under one name, as in `tria_model_calls_total`, and how to read them. They
/// are read at each scrape; reading must not wait.
///
/// Labels come from closed lists of the service, never from a client: each value is kept by whoever
/// scrapes.
#[derive(Clone)]
pub struct Number {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) read: Arc<Read>,
}

/// A value of each label, and the number.
pub type Sample = (Vec<(&'static str, &'static str)>, f64);

type Read = dyn Fn() -> Vec<Sample> + Send + Sync;

/// How a number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

// === impl Number ===

impl Number {
    /// One that only grows; its name ends in `_total`.
    pub fn counter(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, help, Kind::Counter, read)
    }

    /// One that goes up and down.
    pub fn gauge(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, help, Kind::Gauge, read)
    }

    fn new(
        name: &'static str,
        help: &'static str,
        kind: Kind,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            help,
            kind,
            read: Arc::new(read),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Number")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
