//! The rules that the environment must obey.

mod server;

use async_trait::async_trait;

pub use self::server::ServerJudge;
use crate::environment::Environment;

/// Judges an environment by the very rules that the service has, as strictly as in production.
#[async_trait]
pub trait Judge: Send + Sync {
    /// All that is wrong, one text each with what to do about it; no value is in them.
    ///
    /// # Errors
    /// If it could not be judged, with the reason.
    async fn violations(&self, environment: &Environment) -> Result<Vec<String>, String>;
}
