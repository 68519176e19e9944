//! What a message is about.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::error::AnswerError;
use crate::{
    Embedder,
    budget::Budget,
    intent::{self, Classifier, Examples, Intent},
    model::{Model, ModelError, Prompt},
};

/// What was learnt from the examples; nothing at first.
#[derive(Debug, Default)]
pub(super) struct Understanding(ArcSwapOption<Classifier>);

/// A message, understood.
#[derive(Clone, Debug)]
pub(super) struct Understood {
    pub(super) intent: Intent,
    pub(super) confidence: f32,
    /// Whether another intent is nearly as likely.
    pub(super) is_thin: bool,
    /// The message as a vector, by which passages are found.
    pub(super) vector: Vec<f32>,
}

// === impl Understanding ===

impl Understanding {
    /// Embeds the examples, unless that was done. Whether it was done now.
    pub(super) async fn learn(&self, embedder: Embedder) -> Result<bool, AnswerError> {
        if self.0.load().is_some() {
            return Ok(false);
        }
        let classifier = Classifier::new(embedder, &examples()).await?;
        self.0.store(Some(Arc::new(classifier)));
        Ok(true)
    }

    /// What was learnt.
    pub(super) fn classifier(&self) -> Option<Arc<Classifier>> {
        self.0.load_full()
    }
}

/// Understands a message: one request for its vectors, and one more where `judge` is set and the
/// examples leave it open.
pub(super) async fn understand(
    classifier: &Classifier,
    model: &Model,
    message: &str,
    judge: bool,
    budget: Budget,
) -> Result<Understood, AnswerError> {
    let asked = Classifier::asked(message);
    let vectors = model.embed(&[asked.as_str(), message], budget).await?;
    let Ok([of_form, vector]) = <[Vec<f32>; 2]>::try_from(vectors) else {
        return Err(AnswerError::Model(ModelError::Misfit));
    };
    let reading = classifier.read(message, &of_form);
    let mut intent = reading.intent;
    if judge && reading.is_thin() {
        let question = intent::judge_prompt(message, &reading);
        let prompt = Prompt::new(question.system).user(question.user);
        let prompt = prompt.schema("intent", question.schema);
        // Without its word the examples have theirs.
        if let Ok(said) = model.complete(&prompt, budget).await {
            intent = intent::read_judgement(&said.text, &reading).unwrap_or(intent);
        }
    }
    Ok(Understood {
        intent,
        confidence: reading.confidence,
        is_thin: reading.is_thin(),
        vector,
    })
}

/// The examples that this program was built with.
fn examples() -> Examples {
    let text = include_str!("../../../../data/intents.toml");
    Examples::parse(text).expect("a test sees that they are good")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_this_program_are_good() {
        assert!(examples().iter().count() > 100);
    }
}
