//! Texts as vectors, by which what means the same lies close together.

use std::fmt;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::embeddings::{CreateEmbeddingRequest, EmbeddingInput, EncodingFormat},
};

/// How many texts go into one request.
const BATCH: usize = 64;

/// Embeds texts by an OpenAI-compatible API. Clones share their connections.
#[derive(Clone)]
pub struct Embedder {
    client: Client<OpenAIConfig>,
    model: String,
}

/// Why there are no vectors. No text holds what was embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The API did not answer, or refused.
    #[error("the model API gave no embeddings")]
    Api(#[source] OpenAIError),
    /// There must be one vector for each text, all of one dimension and none of length zero.
    #[error("the model API gave embeddings that fit neither each other nor what was asked")]
    Misfit,
}

// === impl Embedder ===

impl Embedder {
    /// Embeds with this model of the API.
    pub fn new(client: Client<OpenAIConfig>, model: impl Into<String>) -> Self {
        Self {
            client,
            model: model.into(),
        }
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

    /// The model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// A vector of length 1 for each text, in their order and all of the same dimension, so that a
    /// scalar product is a cosine. Asks once for each 64 texts, and never without any.
    ///
    /// # Errors
    /// [`EmbedError`]. Dropping the future drops the request.
    pub async fn embed<T: AsRef<str>>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let texts = batch.iter().map(|text| text.as_ref().to_owned()).collect();
            vectors.extend(self.batch(texts).await?);
        }
        let dimension = vectors.first().map_or(0, Vec::len);
        if vectors.iter().any(|vector| vector.len() != dimension) {
            return Err(EmbedError::Misfit);
        }
        Ok(vectors)
    }

    async fn batch(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let asked = texts.len();
        let request = CreateEmbeddingRequest {
            model: self.model.clone(),
            input: EmbeddingInput::StringArray(texts),
            encoding_format: Some(EncodingFormat::Float),
            user: None,
            dimensions: None,
        };
        let answer = self.client.embeddings().create(request).await;
        let mut embeddings = answer.map_err(EmbedError::Api)?.data;
        // The order is told by number; a server may answer in any.
        embeddings.sort_by_key(|embedding| embedding.index);
        let numbered = embeddings.iter().map(|embedding| embedding.index as usize);
        if !numbered.eq(0..asked) {
            return Err(EmbedError::Misfit);
        }
        let unit = embeddings
            .into_iter()
            .map(|embedding| unit(embedding.embedding));
        unit.collect::<Option<_>>().ok_or(EmbedError::Misfit)
    }
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
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
    fn a_vector_without_a_direction_is_none() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![0.0, 0.0]), None);
        assert_eq!(unit(vec![f32::NAN]), None);
    }
}
