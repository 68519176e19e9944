//! Makes one embedding, and sees that it has the dimension that the data were made with.

use serde_json::json;
use tria_check::{Finding, PublicText, PublicValue};

use crate::{call::Calls, codes, refusal::Refusal, wire::Embeddings};

/// Which model to embed with, and what must come out.
#[derive(Clone, Debug)]
pub(crate) struct EmbeddingProbe {
    pub(crate) model: String,
    pub(crate) expected_dimension: Option<usize>,
}

/// The dimension that was seen, if one was, and the finding.
pub(crate) async fn probe(calls: &Calls<'_>, probe: &EmbeddingProbe) -> (Option<usize>, Finding) {
    let model = PublicValue::word(&probe.model);
    let request = json!({ "model": probe.model, "input": "ready" });
    let answer = match calls.post::<Embeddings>("/embeddings", &request).await {
        Ok(answer) => answer.body,
        Err(refusal) => return (None, refused(refusal, model)),
    };
    let Some(dimension) = answer.dimension() else {
        let text = PublicText::filled("Model {} made an empty embedding", &[model]);
        let finding = Finding::fail(codes::NOT_OPENAI_API, text)
            .remedy("see that the model is one for embeddings, and that the base URL is right");
        return (None, finding);
    };
    let finding = match probe.expected_dimension {
        Some(expected) if expected != dimension => {
            let values = [model, dimension.into(), expected.into()];
            let text = PublicText::filled(
                "Embeddings of {} have {} dimensions, where {} are expected",
                &values,
            );
            Finding::fail(codes::DIMENSION_MISMATCH, text).remedy(
                "set the embedding model to the one that the stored documents were embedded \
                 with, or embed them again",
            )
        }
        _ => {
            let values = [model, dimension.into()];
            Finding::pass(PublicText::filled(
                "Embeddings of {} have {} dimensions",
                &values,
            ))
        }
    };
    (Some(dimension), finding)
}

/// llama.cpp answers 501 unless it was started for embeddings; other servers lack the path.
fn refused(refusal: Refusal, model: PublicValue) -> Finding {
    let Refusal::NoSuchPath(finding) = refusal else {
        return refusal.into_finding();
    };
    let text = PublicText::filled("The server makes no embeddings with {}", &[model]);
    let unsupported = Finding::fail(codes::EMBEDDINGS_UNSUPPORTED, text).remedy(
        "use a server that serves /embeddings; llama.cpp must be started with embeddings on",
    );
    match finding.get_detail() {
        Some(detail) => unsupported.detail(detail.clone()),
        None => unsupported,
    }
}
