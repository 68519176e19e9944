//! Proves that a new connection, with the key, still works.

use tria_check::{Check, CheckContext, CheckMeta, Cost, Criticality, Finding, Group, Outcome};

use crate::{
    Endpoint, call::Calls, check::TIMEOUT, codes, models::model_path, refusal::Refusal, wire::Model,
};

/// Proves with a connection of its own that the API can still be reached, and takes the key: name,
/// route, certificate and key may all have changed behind connections that are open (the like of
/// n8n-io/n8n#15480).
///
/// It needs an endpoint that keeps no connections
/// ([`EndpointOptions::keep_connections`](crate::EndpointOptions::keep_connections)). It asks for
/// one model, which costs nothing, and leaves it to [`crate::LlmCheck`] to say that there is none.
/// It is optional: as long as the connections last that are there, the API is as good as ever, and
/// when they end, [`crate::LlmCheck`] fails. It never runs more than once a minute.
#[derive(Debug)]
pub struct LoginCheck {
    meta: CheckMeta,
    endpoint: Endpoint,
    model: String,
}

// === impl LoginCheck ===

impl LoginCheck {
    /// An optional check named `openai.login` of readiness and diagnostics, over an endpoint that
    /// keeps no connections.
    pub fn new(endpoint: &Endpoint, model: impl Into<String>) -> Self {
        Self {
            meta: CheckMeta::new("openai.login")
                .groups([Group::Readiness, Group::Diagnostics])
                .criticality(Criticality::Optional)
                .timeout(TIMEOUT)
                .cost(Cost::Metered)
                .period(Cost::Metered.min_period())
                .codes(codes::ALL),
            endpoint: endpoint.clone(),
            model: model.into(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::ALL);
        self
    }

    fn pass(&self, key_is_asked_for: bool) -> Finding {
        Finding::pass(match (self.endpoint.api_key_set(), key_is_asked_for) {
            (false, _) => "A new connection to the OpenAI-compatible API works, without a key",
            (true, false) => {
                "A new connection to the OpenAI-compatible API works, and the key is not refused"
            }
            (true, true) => {
                "A new connection to the OpenAI-compatible API works, and the key is accepted"
            }
        })
    }
}

impl Check for LoginCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let calls = Calls::new(&self.endpoint, cx);
        let answer = calls.get::<Model>(&model_path(&self.model)).await;
        match answer.map(|answer| answer.took) {
            Ok(_) | Err(Refusal::NoSuchModel(_)) => self.pass(true).into(),
            // A server without this path may still refuse a wrong key there, as llama.cpp does.
            Err(Refusal::NoSuchPath(_)) => self.pass(false).into(),
            Err(Refusal::Other(failed)) => failed.into(),
        }
    }
}
