//! The model behind an OpenAI-compatible API: completions, structured answers, streams and
//! embeddings.
//!
//! Each request is made within its caller's [`Budget`] and a limit of its own, is repeated only
//! where that is safe and in time, and passes a circuit breaker that readiness and diagnostics can
//! see ([`Model::breaker`]).
//!
//! # Why two circuits
//! A message of a user takes an embedding and then a completion. With one circuit, embeddings that
//! work would make up for completions that do not, and it would never open; and where it opened,
//! nobody would see by which of them. The two may also lead to different models of a gateway. So
//! each has a circuit, and the reading tells both and the worse of them.
//!
//! # What counts as a failure
//! No connection, a lost one, HTTP 5xx, no answer in time, a rate limit, a quota that is used up, a
//! key that is not taken, and what is no OpenAI-compatible API at all: whatever the next request
//! would meet, too. What the API says of one request (HTTP 400, 403, 404, an answer that was
//! withheld or is not of the schema) does not; nor does a request that was dropped, or that its
//! caller gave too little time. But a request whose budget ended it after half of its limit does.

mod api;
mod circuit;
mod error;
mod guard;
mod prompt;
mod reach;
mod reading;
mod refusal;
mod stream;
mod tally;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use async_openai::config::OpenAIConfig;
use futures_util::stream::{Stream, try_unfold};
use serde::de::DeserializeOwned;

use self::{
    api::{Api, Path},
    circuit::Circuit,
    error::Verdict,
    guard::{attempt, repeated, timed},
    stream::{Flow, Pieces},
    wire::Body,
};
pub use self::{
    error::{Cause, ModelError},
    prompt::{Completion, Prompt, Role},
    reading::{BreakerReading, CircuitReading, CircuitState, FailureKind, Failures},
};
use crate::{
    Budget, Embedder,
    embedder::{self, BATCH},
};

/// How long DNS, TCP and TLS may take together for [`Model::at`].
const CONNECT: Duration = Duration::from_secs(2);

/// The models of one OpenAI-compatible API. Clones share their connections and circuits.
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

struct Inner {
    api: Api,
    options: ModelOptions,
    chat: Circuit,
    embeddings: Circuit,
}

/// Which models, and how patient one is with them.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// The model that answers.
    pub chat_model: String,
    /// The model that embeds.
    pub embedding_model: String,
    /// How long one request for embeddings may take, connecting included (5 s).
    pub embed_limit: Duration,
    /// How long one request for a completion may take, connecting included (20 s).
    pub complete_limit: Duration,
    /// How long a stream may take until its first piece, connecting included (10 s).
    pub first_piece_limit: Duration,
    /// How long a stream may take from one piece to the next (10 s).
    pub next_piece_limit: Duration,
    /// How often a request is repeated at most (2).
    pub most_retries: u32,
    /// How long an answer may be, in tokens, unless the prompt says so (512).
    pub most_tokens: u32,
    /// How much is left to chance (0). OpenAI's reasoning models refuse any: `None` sends none.
    pub temperature: Option<f32>,
    /// After how many failures in a row nothing is sent for a while (5).
    pub failures_to_open: u32,
    /// How long nothing is sent then, before one request is let through as a probe (10 s).
    pub open_for: Duration,
}

/// How far a stream is.
enum Stage {
    Asking(Body),
    Flowing(Flow),
}

// === impl ModelOptions ===

impl ModelOptions {
    /// These models, and the defaults.
    pub fn new(chat_model: impl Into<String>, embedding_model: impl Into<String>) -> Self {
        Self {
            chat_model: chat_model.into(),
            embedding_model: embedding_model.into(),
            embed_limit: Duration::from_secs(5),
            complete_limit: Duration::from_secs(20),
            first_piece_limit: Duration::from_secs(10),
            next_piece_limit: Duration::from_secs(10),
            most_retries: 2,
            most_tokens: 512,
            temperature: Some(0.0),
            failures_to_open: 5,
            open_for: Duration::from_secs(10),
        }
    }
}

// === impl Model ===

impl Model {
    /// The API of this configuration, over an HTTP client of the caller's, who answers for its
    /// connect timeout, proxy and TLS, and for its following no redirects.
    ///
    /// # Panics
    /// If the key, the organisation or the project cannot stand in an HTTP header.
    pub fn new(http: reqwest::Client, config: &OpenAIConfig, options: ModelOptions) -> Self {
        let circuit = |name| Circuit::new(name, options.failures_to_open, options.open_for);
        let inner = Inner {
            api: Api::new(http, config),
            chat: circuit("chat"),
            embeddings: circuit("embeddings"),
            options,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The API at a base URL, as in `http://127.0.0.1:8080/v1`, reached directly.
    ///
    /// # Panics
    /// If no TLS provider is installed for the process, or the key cannot stand in an HTTP header.
    pub fn at(base_url: &str, key: &str, options: ModelOptions) -> Self {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client, for which a TLS provider is installed");
        // Every field is set, for async-openai's defaults come from the environment.
        let config = OpenAIConfig::new()
            .with_api_base(base_url.trim_end_matches('/'))
            .with_api_key(key)
            .with_org_id("")
            .with_project_id("");
        Self::new(http, &config, options)
    }

    /// The model that answers.
    pub fn chat_model(&self) -> &str {
        &self.inner.options.chat_model
    }

    /// The model that embeds.
    pub fn embedding_model(&self) -> &str {
        &self.inner.options.embedding_model
    }

    /// A vector of length 1 for each text, in their order and all of the same dimension, so that a
    /// scalar product is a cosine. Asks once for each 64 texts, and never without any. Of a long
    /// text the first 500 characters count, white space aside.
    ///
    /// # Errors
    /// [`ModelError`]. Dropping the future drops the request.
    pub async fn embed<T: AsRef<str>>(
        &self,
        texts: &[T],
        budget: Budget,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let texts = batch.iter().map(|text| reach::within(text.as_ref()));
            let texts = texts.map(str::to_owned).collect();
            let body = wire::embeddings(texts, self.embedding_model());
            vectors.extend(self.embed_batch(body, batch.len(), budget).await?);
        }
        if embedder::fit_each_other(&vectors) {
            Ok(vectors)
        } else {
            Err(ModelError::Misfit)
        }
    }

    /// What embeds by this API for those who know no budget: within [`ModelOptions::embed_limit`]
    /// for each 64 texts, repetitions included.
    pub fn embedder(&self) -> Embedder {
        Embedder::of(self.clone())
    }

    /// An answer in words.
    ///
    /// # Errors
    /// [`ModelError`]. Dropping the future drops the request.
    pub async fn complete(
        &self,
        prompt: &Prompt,
        budget: Budget,
    ) -> Result<Completion, ModelError> {
        let Inner {
            api, options, chat, ..
        } = &*self.inner;
        let body = wire::chat(prompt, options, api.is_openai(), false);
        let answer = repeated(options.most_retries, budget, || async {
            let asked = async {
                let answer: wire::Answer = api.ask(Path::Chat, body.clone()).await?;
                answer
                    .is_any()
                    .then_some(answer)
                    .ok_or(ModelError::Malformed)
            };
            let (answer, ticket) = attempt(chat, options.complete_limit, budget, asked).await?;
            ticket.settle(Verdict::Served).await;
            Ok(answer)
        });
        answer.await?.completion()
    }

    /// An answer as JSON of the prompt's schema. There is one try only to get it right.
    ///
    /// # Errors
    /// [`ModelError`]; [`ModelError::Malformed`] if the answer does not fit `T`.
    pub async fn structured<T: DeserializeOwned>(
        &self,
        prompt: &Prompt,
        budget: Budget,
    ) -> Result<T, ModelError> {
        let completion = self.complete(prompt, budget).await?;
        // The error is not kept: it quotes what it does not understand.
        serde_json::from_str(&completion.text).map_err(|_| ModelError::Malformed)
    }

    /// An answer as it comes: its pieces, never empty, and at the end of the answer the end of the
    /// stream. An error is the last item, and a stream that is cut ends with one. Nothing is
    /// repeated once there was a piece. Nothing is sent before the stream is polled, and dropping
    /// it drops the request.
    ///
    /// Each piece is waited for within its limit and the budget, counted from when it is asked
    /// for: a slow reader costs the API nothing. An answer that would go on beyond its tokens ends
    /// like any other.
    pub fn stream(
        &self,
        prompt: &Prompt,
        budget: Budget,
    ) -> impl Stream<Item = Result<String, ModelError>> + Send + use<> {
        let Inner { api, options, .. } = &*self.inner;
        let asking = Stage::Asking(wire::chat(prompt, options, api.is_openai(), true));
        let model = self.clone();
        try_unfold(asking, move |stage| {
            let model = model.clone();
            async move {
                match stage {
                    Stage::Asking(body) => model.begin(body, budget).await,
                    Stage::Flowing(flow) => model.go_on(flow, budget).await,
                }
            }
        })
    }

    /// How the circuits are. Reads counters and waits for nobody, so that each probe may ask.
    pub fn breaker(&self) -> BreakerReading {
        let (chat, embeddings) = (self.inner.chat.reading(), self.inner.embeddings.reading());
        BreakerReading {
            state: chat.state.worse(embeddings.state),
            retry_after: chat.retry_after.max(embeddings.retry_after),
            chat,
            embeddings,
        }
    }

    pub(crate) fn embed_limit(&self) -> Duration {
        self.inner.options.embed_limit
    }

    async fn embed_batch(
        &self,
        body: Body,
        asked: usize,
        budget: Budget,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let Inner {
            api,
            options,
            embeddings,
            ..
        } = &*self.inner;
        let answer = repeated(options.most_retries, budget, || async {
            let asked = api.ask(Path::Embeddings, body.clone());
            let (answer, ticket): (wire::Embeddings, _) =
                attempt(embeddings, options.embed_limit, budget, asked).await?;
            ticket.settle(Verdict::Served).await;
            Ok(answer)
        });
        let data = answer.await?.data.into_iter();
        let numbered = data.map(|embedding| (embedding.index, embedding.embedding));
        embedder::in_order(asked, numbered.collect()).ok_or(ModelError::Misfit)
    }

    /// Asks until there is a first piece.
    async fn begin(
        &self,
        body: Body,
        budget: Budget,
    ) -> Result<Option<(String, Stage)>, ModelError> {
        let Inner {
            api, options, chat, ..
        } = &*self.inner;
        let begun = repeated(options.most_retries, budget, || async {
            let asked = async {
                let mut pieces = Pieces::of(api.open(Path::Chat, body.clone()).await?);
                let first = pieces.next().await.map_err(ModelError::before_the_answer)?;
                Ok((first, pieces))
            };
            attempt(chat, options.first_piece_limit, budget, asked).await
        });
        let ((piece, pieces), ticket) = begun.await?;
        let Some(piece) = piece else {
            ticket.settle(Verdict::Served).await;
            return Err(ModelError::Malformed);
        };
        let flow = Flow::begun(pieces, ticket).await;
        Ok(Some((piece, Stage::Flowing(flow))))
    }

    async fn go_on(
        &self,
        mut flow: Flow,
        budget: Budget,
    ) -> Result<Option<(String, Stage)>, ModelError> {
        let limit = self.inner.options.next_piece_limit;
        let next = async {
            flow.pieces
                .next()
                .await
                .map_err(ModelError::within_the_answer)
        };
        match timed(limit, budget, next).await {
            Ok(Some(piece)) => Ok(Some((piece, Stage::Flowing(flow)))),
            Ok(None) => {
                flow.settle(Verdict::Served).await;
                Ok(None)
            }
            Err((error, verdict)) => {
                flow.settle(verdict).await;
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}
