//! The check.

use std::{borrow::Cow, time::Duration};

use tria_check::{
    Check, CheckContext, CheckMeta, Cost, Criticality, Finding, Groups, Outcome, Status,
};

use crate::{
    Endpoint,
    call::Calls,
    codes, completion,
    embedding::{self, EmbeddingProbe},
    models::{self, Key, Proof},
    wait,
};

/// How long a run may take: an API that is silent for so long is none.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// How often it runs on its own: a dead API is told within half a minute, and a provider's limits
/// are not felt.
const PERIOD: Duration = Duration::from_secs(15);

/// Proves that an OpenAI-compatible API answers, takes the key and offers the models.
///
/// One run makes one call for the first model and one for all the others; a server without
/// `GET /models/{model}` is asked for the list instead, and is then only said not to have
/// *refused* the key, for such a list may be open to anyone. See the [crate] for what a pass does
/// not prove.
///
/// Nobody bills these calls, so it runs every 15 s in the background, and about every second while
/// it fails, save where the API asks to be left alone. With a probe that is billed it costs
/// [`Cost::Metered`], and runs at most once a minute.
///
/// Observed: `response_time_ms` (of the first good answer), `api_key_set`, and where the API says
/// so `models_listed`, `embedding_dimension`, `rate_limit_remaining_requests` and
/// `rate_limit_remaining_tokens`.
#[derive(Debug)]
pub struct LlmCheck {
    meta: CheckMeta,
    endpoint: Endpoint,
    models: Vec<String>,
    completion_probe: bool,
    embedding_probe: Option<EmbeddingProbe>,
}

// === impl LlmCheck ===

impl LlmCheck {
    /// A critical check named `openai` that proves `model`, with a timeout of 3 s and a period of
    /// 15 s.
    pub fn new(endpoint: &Endpoint, model: impl Into<String>) -> Self {
        Self {
            meta: CheckMeta::new("openai")
                .timeout(TIMEOUT)
                .period(PERIOD)
                .codes(codes::ALL),
            endpoint: endpoint.clone(),
            models: vec![model.into()],
            completion_probe: false,
            embedding_probe: None,
        }
    }

    /// Proves one more model.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        let model = model.into();
        if !self.models.contains(&model) {
            self.models.push(model);
        }
        self
    }

    /// Proves the embedding model as well. That it makes embeddings is proven only by
    /// [`LlmCheck::embedding_probe`].
    pub fn embedding_model(self, model: impl Into<String>) -> Self {
        self.model(model)
    }

    /// Sets whether the first model must say a word at every run (no). A refusal or an empty
    /// answer fails the check for good. Each run is billed, which is why it is off
    /// (BerriAI/litellm#7000).
    pub fn completion_probe(mut self, probe: bool) -> Self {
        self.completion_probe = probe;
        self.costing()
    }

    /// Proves the embedding model, and lets it embed a word at every run; fails when the vector
    /// has another dimension than `expected_dimension`. Each run is billed.
    pub fn embedding_probe(
        self,
        model: impl Into<String>,
        expected_dimension: Option<usize>,
    ) -> Self {
        let model = model.into();
        let mut check = self.model(model.clone());
        check.embedding_probe = Some(EmbeddingProbe {
            model,
            expected_dimension,
        });
        check.costing()
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        let named = CheckMeta::new(name)
            .groups(self.meta.in_groups())
            .criticality(self.meta.get_criticality())
            .timeout(self.meta.get_timeout())
            .period(self.meta.effective_period())
            .cost(self.meta.get_cost())
            .codes(self.meta.declared_codes());
        self.meta = named;
        self
    }

    /// Sets the groups.
    pub fn groups(mut self, groups: impl Into<Groups>) -> Self {
        self.meta = self.meta.groups(groups);
        self
    }

    /// Sets what a failure means for the whole.
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.meta = self.meta.criticality(criticality);
        self
    }

    /// Sets how long one run may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.meta = self.meta.timeout(timeout);
        self
    }

    /// Sets the time between two runs in the background (15 s); with a probe that is billed, a
    /// minute at least.
    pub fn period(mut self, period: Duration) -> Self {
        self.meta = self.meta.period(period);
        self
    }

    /// Costs what its probes cost.
    fn costing(mut self) -> Self {
        let billed = self.completion_probe || self.embedding_probe.is_some();
        self.meta = self
            .meta
            .cost(if billed { Cost::Metered } else { Cost::Network });
        self
    }

    /// The probes that are billed: their findings and the dimension seen.
    async fn probe(&self, calls: &Calls<'_>) -> (Vec<Finding>, Option<usize>) {
        let embedding = async {
            match &self.embedding_probe {
                Some(probe) => {
                    let (dimension, finding) = embedding::probe(calls, probe).await;
                    (dimension, Some(finding))
                }
                None => (None, None),
            }
        };
        let completion = async {
            if !self.completion_probe {
                return None;
            }
            Some(completion::probe(calls, &self.models[0]).await)
        };
        let ((dimension, embedding), completion) = tokio::join!(embedding, completion);
        (completion.into_iter().chain(embedding).collect(), dimension)
    }

    fn report(&self, proof: Proof, dimension: Option<usize>) -> Outcome {
        let Proof {
            findings,
            key,
            listed,
            took,
            headers,
        } = proof;
        let key = key_finding(key, self.endpoint.api_key_set());
        let mut outcome = Outcome::new(key.into_iter().chain(findings)).observe(
            "api_key_set",
            self.endpoint.api_key_set(),
            "",
        );
        if let Some(took) = took {
            // Whole microseconds are enough.
            let ms = (took.as_secs_f64() * 1e6).round() / 1e3;
            outcome = outcome.observe("response_time_ms", ms, "ms");
        }
        let remaining = |kind| wait::remaining(&headers, kind);
        let counts = [
            ("models_listed", listed.map(saturated), "models"),
            (
                "embedding_dimension",
                dimension.map(saturated),
                "dimensions",
            ),
            (
                "rate_limit_remaining_requests",
                remaining("requests"),
                "requests",
            ),
            ("rate_limit_remaining_tokens", remaining("tokens"), "tokens"),
        ];
        for (name, count, unit) in counts {
            if let Some(count) = count {
                outcome = outcome.observe(name, count, unit);
            }
        }
        outcome
    }
}

impl Check for LlmCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let calls = Calls::new(&self.endpoint, cx);
        let names: Vec<&str> = self.models.iter().map(String::as_str).collect();
        let mut proof = models::prove(&calls, &names).await;
        let mut dimension = None;
        // What is billed is not asked of an API that has failed already.
        if proof.findings.iter().all(|finding| !finding.is_failure()) {
            let (findings, seen) = self.probe(&calls).await;
            dimension = seen;
            if findings
                .iter()
                .any(|finding| finding.status() == Status::Pass)
            {
                proof.key = Key::Accepted;
            }
            proof.findings.extend(findings);
        }
        self.report(proof, dimension)
    }
}

fn key_finding(key: Key, set: bool) -> Option<Finding> {
    let text = match (key, set) {
        (Key::Unproven, _) => return None,
        (_, false) => "The OpenAI-compatible API answers without a key",
        (Key::NotRefused, true) => "API key not refused by the OpenAI-compatible API",
        (Key::Accepted, true) => "API key accepted by the OpenAI-compatible API",
    };
    Some(Finding::pass(text))
}

fn saturated(count: usize) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
