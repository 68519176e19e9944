//! Everything outside that a deployment touches.

use std::sync::Arc;

use crate::{
    clock::Clock, engine::Engine, judge::Judge, probe::Probe, processes::Processes, proxy::Proxy,
    store::Store,
};

/// The outside, handed in; so that all of it can be had in memory.
#[derive(Clone)]
pub struct World {
    /// Runs containers.
    pub engine: Arc<dyn Engine>,
    /// Decides who gets the traffic.
    pub proxy: Arc<dyn Proxy>,
    /// Asks releases.
    pub probe: Arc<dyn Probe>,
    /// Knows the rules of the environment.
    pub judge: Arc<dyn Judge>,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Tells who we are.
    pub processes: Arc<dyn Processes>,
}
