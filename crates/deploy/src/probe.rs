//! How a release is asked whether it is well, over HTTP.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Asks releases. A failing release is data, not an error.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What the release says about its own start; nothing while it does not answer yet.
    async fn startup(&self, container: &str) -> Option<StartupReport>;

    /// Runs the integration tests.
    async fn integration(&self, whom: &Target) -> Vec<TestResult>;

    /// How many requests the release is answering now, if it can be asked.
    async fn in_flight(&self, container: &str) -> Option<u64>;

    /// Whether that port of the host is free.
    async fn port_is_free(&self, port: u16) -> bool;

    /// Whether that name leads to an address.
    async fn resolves(&self, host: &str) -> bool;
}

/// Whom the tests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A release, beside the proxy.
    Release(String),
    /// Whoever is behind the proxy; it must be that release.
    FrontDoor(String),
}

/// The start of a release, as it tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartupReport {
    /// Whether all of it passed.
    pub complete: bool,
    /// Its phases, in order.
    pub phases: Vec<StartupPhase>,
}

/// One phase of a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartupPhase {
    /// Its title.
    pub title: String,
    /// Whether it passed; none while it runs or waits.
    pub passed: Option<bool>,
    /// What was proven, or what is wrong.
    pub text: String,
}

/// One integration test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// What was tested.
    pub name: String,
    /// What went wrong, if it did.
    pub failure: Option<String>,
}
