//! Texts as vectors, by which what means the same lies close together.

use std::fmt;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::embeddings::{CreateEmbeddingRequest, EmbeddingInput, EncodingFormat},
};

use crate::{Budget, Model, ModelError};

/// How many texts go into one request.
pub(crate) const BATCH: usize = 64;

/// Embeds texts by an OpenAI-compatible API. Clones share their connections.
///
/// One that is made by [`Model::embedder`] passes the circuit of that model, and is bounded in
/// time. One that is made of a client is not: it serves what may wait, as filling collections.
#[derive(Clone)]
pub struct Embedder {
    source: Source,
}

#[derive(Clone)]
enum Source {
    Client {
        client: Box<Client<OpenAIConfig>>,
        model: String,
    },
    Model(Model),
}

/// Why there are no vectors. No text holds what was embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The API did not answer, or refused.
    #[error("the model API gave no embeddings")]
    Api(#[source] OpenAIError),
    /// The model did not.
    #[error("the model gave no embeddings")]
    Model(#[source] ModelError),
    /// There must be one vector for each text, all of one dimension and none of length zero.
    #[error("the model API gave embeddings that fit neither each other nor what was asked")]
    Misfit,
}

// === impl Embedder ===

impl Embedder {
    /// Embeds with this model of the API.
    pub fn new(client: Client<OpenAIConfig>, model: impl Into<String>) -> Self {
        let (client, model) = (Box::new(client), model.into());
        let source = Source::Client { client, model };
        Self { source }
    }

    /// Embeds with this model of the API at a base URL, as in `https://host/v1`.
    ///
    /// # Panics
    /// If no TLS provider is installed for the process.
    pub fn at(base_url: &str, key: &str, model: impl Into<String>) -> Self {
        let config = OpenAIConfig::new()
            .with_api_base(base_url)
            .with_api_key(key);
        Self::new(Client::with_config(config), model)
    }

    pub(crate) fn of(model: Model) -> Self {
        let source = Source::Model(model);
        Self { source }
    }

    /// The model.
    pub fn model(&self) -> &str {
        match &self.source {
            Source::Client { model, .. } => model,
            Source::Model(model) => model.embedding_model(),
        }
    }

    /// A vector of length 1 for each text, in their order and all of the same dimension, so that a
    /// scalar product is a cosine. Asks once for each 64 texts, and never without any.
    ///
    /// # Errors
    /// [`EmbedError`]. Dropping the future drops the request.
    pub async fn embed<T: AsRef<str>>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, EmbedError> {
        match &self.source {
            Source::Client { client, model } => embed(client, model, texts).await,
            Source::Model(model) => {
                let batches = u32::try_from(texts.len().div_ceil(BATCH)).unwrap_or(u32::MAX);
                let budget = Budget::of(model.embed_limit().saturating_mul(batches));
                let embedded = model.embed(texts, budget).await;
                embedded.map_err(|error| match error {
                    ModelError::Misfit => EmbedError::Misfit,
                    error => EmbedError::Model(error),
                })
            }
        }
    }
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder")
            .field("model", &self.model())
            .finish_non_exhaustive()
    }
}

async fn embed<T: AsRef<str>>(
    client: &Client<OpenAIConfig>,
    model: &str,
    texts: &[T],
) -> Result<Vec<Vec<f32>>, EmbedError> {
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let texts = batch.iter().map(|text| text.as_ref().to_owned()).collect();
        let request = CreateEmbeddingRequest {
            model: model.to_owned(),
            input: EmbeddingInput::StringArray(texts),
            encoding_format: Some(EncodingFormat::Float),
            user: None,
            dimensions: None,
        };
        let answer = client.embeddings().create(request).await;
        let data = answer.map_err(EmbedError::Api)?.data.into_iter();
        let numbered = data.map(|embedding| (embedding.index as usize, embedding.embedding));
        let embedded = in_order(batch.len(), numbered.collect()).ok_or(EmbedError::Misfit)?;
        vectors.extend(embedded);
    }
    if fit_each_other(&vectors) {
        Ok(vectors)
    } else {
        Err(EmbedError::Misfit)
    }
}

/// Vectors of length 1 in the order of their texts, of which there were `asked`, for a server may
/// answer in any order. `None` if one is missing, is there twice or has no direction.
pub(crate) fn in_order(
    asked: usize,
    mut numbered: Vec<(usize, Vec<f32>)>,
) -> Option<Vec<Vec<f32>>> {
    numbered.sort_by_key(|(index, _)| *index);
    if !numbered.iter().map(|(index, _)| *index).eq(0..asked) {
        return None;
    }
    numbered
        .into_iter()
        .map(|(_, vector)| unit(vector))
        .collect()
}

/// Whether all are of one dimension.
pub(crate) fn fit_each_other(vectors: &[Vec<f32>]) -> bool {
    let dimension = vectors.first().map_or(0, Vec::len);
    vectors.iter().all(|vector| vector.len() == dimension)
}

/// The vector of length 1 in the same direction; `None` where there is no direction.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    if !length.is_normal() {
        return None;
    }
    for part in &mut vector {
        *part /= length;
    }
    Some(vector)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn cosine(one: &[f32], other: &[f32]) -> f32 {
        one.iter().zip(other).map(|(a, b)| a * b).sum()
    }

    fn at(base_url: &str, key: &str, model: &str) -> Embedder {
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Embedder::at(base_url, key, model)
    }

    pub(crate) async fn embedder() -> Embedder {
        let stack = tria_devstack::shared().await.unwrap();
        at(
            &stack.model_base_url(),
            stack.model_key(),
            stack.embedding_model(),
        )
    }

    #[tokio::test]
    async fn what_means_the_same_lies_close_together() {
        let embedder = embedder().await;
        let texts = [
            "ten pizza boxes",
            "10 boxes for pizza",
            "the weather is fine",
        ];
        let vectors = embedder.embed(&texts).await.unwrap();
        for vector in &vectors {
            assert!((cosine(vector, vector) - 1.0).abs() < 1e-4);
        }
        let (same, other) = (
            cosine(&vectors[0], &vectors[1]),
            cosine(&vectors[0], &vectors[2]),
        );
        assert!(same > 0.7 && other < 0.4, "{same} {other}");
    }

    #[tokio::test]
    async fn there_is_a_vector_for_each_text_in_their_order() {
        let embedder = embedder().await;
        let texts: Vec<String> = (0..BATCH + 3).map(|n| format!("{n} napkins")).collect();
        let vectors = embedder.embed(&texts).await.unwrap();
        assert_eq!(vectors.len(), texts.len());
        let last = embedder.embed(&texts[BATCH + 2..]).await.unwrap();
        assert!(cosine(&vectors[BATCH + 2], &last[0]) > 0.999);
        let none: [&str; 0] = [];
        assert!(embedder.embed(&none).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_api_that_is_away_is_an_error_without_the_text() {
        let embedder = at("http://127.0.0.1:1/v1", "k", "m");
        let error = embedder.embed(&["my phone number"]).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("phone"));
    }

    #[test]
    fn vectors_come_in_the_order_of_their_texts_or_not_at_all() {
        let vector = |index: usize| (index, vec![0.0, 2.0]);
        let unit = vec![0.0, 1.0];
        assert_eq!(in_order(2, vec![vector(1), vector(0)]), Some(vec![unit; 2]));
        for other in [
            vec![],
            vec![vector(0)],
            vec![vector(0), vector(0)],
            vec![vector(0), vector(2)],
        ] {
            assert_eq!(in_order(2, other), None);
        }
        assert!(fit_each_other(&[vec![1.0], vec![2.0]]));
        assert!(!fit_each_other(&[vec![1.0], vec![2.0, 1.0]]));
    }

    #[test]
    fn a_vector_without_a_direction_is_none() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![0.0, 0.0]), None);
        assert_eq!(unit(vec![f32::NAN]), None);
    }
}
