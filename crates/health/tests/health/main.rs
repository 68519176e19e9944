//! The crate as a service sees it: a router that is asked, and a monitor that runs.
#![allow(clippy::unwrap_used)]

mod background;
mod caching;
mod changes;
mod codes;
mod diagnostics;
mod draft;
mod example;
mod fresh;
mod liveness;
mod metrics;
mod rig;
mod serving;
mod shapes;
mod staleness;
mod status_page;
