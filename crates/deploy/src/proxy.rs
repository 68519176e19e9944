//! What stands in front of the service and decides which release gets the traffic.

use async_trait::async_trait;

use crate::engine::EngineError;

/// The proxy. It names a release by its container.
#[async_trait]
pub trait Proxy: Send + Sync {
    /// Whom the traffic goes to; nobody before the first deployment. What it answers is in force:
    /// a change that was written down but not taken up is taken up or withdrawn first.
    async fn target(&self) -> Result<Option<String>, EngineError>;

    /// Sends the traffic to that container, without cutting what is in flight. Either it is done,
    /// or the old target stays.
    async fn point_to(&self, container: &str) -> Result<(), EngineError>;
}
