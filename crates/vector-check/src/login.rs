//! Proves that a new connection, with the credentials, still works.

use std::fmt;

use tokio::time::timeout_at;
use tria_check::{Check, CheckContext, CheckMeta, Cost, Criticality, Finding, Group, Outcome};
use tria_chroma::ChromaClient;

use crate::{
    check::{TIMEOUT, answer_by},
    codes, fault,
};

/// Proves with a connection of its own that `ChromaDB` can still be reached, and takes the
/// credentials: name, route, certificate and token may all have changed behind connections that
/// are open (the like of n8n-io/n8n#15480).
///
/// It needs a client that keeps no connections
/// ([`ClientBuilder::keep_connections`](tria_chroma::ClientBuilder::keep_connections)). It asks for
/// the client's database, and leaves it to [`crate::VectorCheck`] to say that there is none. It is
/// optional: as long as the connections last that are there, `ChromaDB` is as good as ever, and
/// when they end, [`crate::VectorCheck`] fails. Nor does it run more than once a minute, also while
/// it fails: a proxy in between may lock out who comes with a wrong token too often.
pub struct LoginCheck {
    meta: CheckMeta,
    chroma: ChromaClient,
}

// === impl LoginCheck ===

impl LoginCheck {
    /// An optional check named `chromadb.login` of readiness and diagnostics, over a client that
    /// keeps no connections.
    pub fn new(chroma: ChromaClient) -> Self {
        Self {
            meta: CheckMeta::new("chromadb.login")
                .groups([Group::Readiness, Group::Diagnostics])
                .criticality(Criticality::Optional)
                .timeout(TIMEOUT)
                .cost(Cost::Metered)
                .period(Cost::Metered.min_period())
                .codes(codes::ALL),
            chroma,
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::ALL);
        self
    }
}

impl Check for LoginCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let database = self.chroma.get_database(self.chroma.database());
        let finding = match timeout_at(answer_by(cx), database).await {
            Ok(Err(error)) if !error.is_not_found() => {
                fault::finding(&self.chroma, "login", &error)
            }
            Ok(_) => Finding::pass("A new connection to ChromaDB works"),
            Err(_elapsed) => fault::timed_out(&self.chroma),
        };
        finding.into()
    }
}

impl fmt::Debug for LoginCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginCheck")
            .field("name", &self.meta.name())
            .finish_non_exhaustive()
    }
}
