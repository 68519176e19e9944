//! Whether the model is asked at all at the moment.

use std::time::Duration;

use tria_chatbot::model::{CircuitReading, CircuitState, Model};
use tria_check::{
    Check, CheckContext, CheckMeta, Code, Criticality, Finding, Group, Outcome, PublicText,
    PublicValue,
};

const OPEN: Code = Code::new("circuit_open");
const HALF_OPEN: Code = Code::new("circuit_half_open");

/// The circuits between the chat and the model API: open after too many failures in a row, so that
/// nothing is asked of it for a while. Messages are then answered with 503.
pub(crate) struct Circuits {
    meta: CheckMeta,
    model: Model,
}

// === impl Circuits ===

impl Circuits {
    pub(crate) fn new(model: Model) -> Self {
        let meta = CheckMeta::new("openai.circuit")
            .groups([Group::Readiness, Group::Diagnostics])
            // Another server would find the same API, and probes and status are served anyway.
            .criticality(Criticality::Optional)
            .timeout(Duration::from_secs(1))
            .codes(&[OPEN, HALF_OPEN]);
        Self { meta, model }
    }
}

impl Check for Circuits {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let reading = self.model.breaker();
        let worst = [
            ("completions", &reading.chat),
            ("embeddings", &reading.embeddings),
        ]
        .into_iter()
        .find(|(_, circuit)| circuit.state == reading.state);
        let finding = match (reading.state, worst) {
            (CircuitState::Open, Some((what, circuit))) => {
                let text = "the model API failed too often: no {} are asked for at the moment";
                told(OPEN, text, what, circuit)
            }
            (CircuitState::HalfOpen, Some((what, circuit))) => {
                let text = "the model API failed too often: one of the {} is tried";
                told(HALF_OPEN, text, what, circuit)
            }
            _ => Finding::pass("The model API is asked"),
        };
        Outcome::from(finding)
            .observe("failures_chat", reading.chat.consecutive_failures, "")
            .observe(
                "failures_embeddings",
                reading.embeddings.consecutive_failures,
                "",
            )
    }
}

fn told(code: Code, text: &'static str, what: &'static str, circuit: &CircuitReading) -> Finding {
    let text = PublicText::filled(text, &[PublicValue::from(what)]);
    Finding::warn(code, text)
        .transient(circuit.retry_after)
        .remedy("see the check openai, and the log for the failures; it is tried again by itself")
}
