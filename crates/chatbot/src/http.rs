//! The application over HTTP.

mod address;
mod body;
mod chat;
mod json;
mod openapi;
mod page;
mod problem;
mod reception;
mod request;
mod stream;
mod verdict;

use std::{fmt, sync::Arc, time::Duration};

use axum::{Router, routing::post};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::reception::Reception;
pub use self::{
    address::{NotANetwork, TrustedProxies},
    problem::{FieldProblem, ProblemDocument},
    request::{LONGEST_MESSAGE, LONGEST_USER, MOST_BYTES},
};
use crate::{
    assistant::Assistant,
    idempotency::{Gate, GateOptions},
    rate_limit::{Limiter, Rate},
    session_token::Signer,
};

/// What requests are held to.
#[derive(Clone, Debug)]
pub struct ChatOptions {
    /// What one request may take, from its arrival on (30 s).
    pub budget: Duration,
    /// How long a client may take to send its body (10 s).
    pub body_within: Duration,
    /// How many requests may be worked on at once; more are sent away with 503 (256).
    pub most_at_work: usize,
    /// How many may be there at once, with those that wait for another's answer (1,024).
    pub most_present: usize,
    /// How many new requests of one user are taken a minute, or as many as they like (60).
    pub per_user: Option<u32>,
    /// How many requests of one address are taken a minute, or as many as they like (600).
    pub per_address: Option<u32>,
    /// Who is believed about the address of a client.
    pub proxies: TrustedProxies,
    /// Is cancelled when the server begins to end, so that streams do.
    pub draining: CancellationToken,
    /// How long a stream goes on then before it is ended (10 s).
    pub last_words: Duration,
}

/// The application as routes of a server. Clones are the same.
#[derive(Clone)]
pub struct Chat {
    reception: Arc<Reception>,
}

// === impl ChatOptions ===

impl Default for ChatOptions {
    fn default() -> Self {
        Self {
            budget: Duration::from_secs(30),
            body_within: Duration::from_secs(10),
            most_at_work: 256,
            most_present: 1_024,
            per_user: Some(60),
            per_address: Some(600),
            proxies: TrustedProxies::default(),
            draining: CancellationToken::new(),
            last_words: Duration::from_secs(10),
        }
    }
}

// === impl Chat ===

impl Chat {
    /// Serves what the assistant answers. `redis` keeps keys and counts rates for all servers
    /// together, and `signer` is that of the assistant.
    pub fn new(
        assistant: Assistant,
        signer: Signer,
        redis: &deadpool_redis::Pool,
        options: ChatOptions,
    ) -> Self {
        let limiter = |burst: u32, prefix: &str| {
            let rate = Rate {
                burst,
                per: Duration::from_secs(60),
                prefix: prefix.to_owned(),
            };
            Limiter::new(redis.clone(), rate)
        };
        let gate = GateOptions {
            // Whoever waits must not be kept longer than the first may take.
            wait: GateOptions::default().wait.min(options.budget),
            ..GateOptions::default()
        };
        let reception = Reception {
            assistant,
            gate: Gate::new(redis.clone(), gate),
            signer,
            per_user: options
                .per_user
                .map(|burst| limiter(burst, "tria:rate:user:")),
            per_address: options
                .per_address
                .map(|burst| limiter(burst, "tria:rate:address:")),
            present: Arc::new(Semaphore::new(options.most_present)),
            at_work: Arc::new(Semaphore::new(options.most_at_work)),
            work: TaskTracker::new(),
            over: CancellationToken::new(),
            options,
        };
        Self {
            reception: Arc::new(reception),
        }
    }

    /// `POST /api/chatbot`, `POST /api/chatbot/stream`, the page of the chat at `/`, and the
    /// description at `/openapi.json` and `/docs`. Rates by address need the peer's address in the
    /// requests, as `ConnectInfo<SocketAddr>`.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/api/chatbot", post(chat::chat))
            .route("/api/chatbot/stream", post(stream::stream))
            .with_state(Arc::clone(&self.reception))
            .merge(page::routes())
            .merge(openapi::routes())
    }

    /// The assistant.
    pub fn assistant(&self) -> &Assistant {
        &self.reception.assistant
    }

    /// How many requests are worked on, also those that nobody waits for any more.
    pub fn at_work(&self) -> usize {
        self.reception.work.len()
    }

    /// Waits until all work is done. No new request may come. What takes longer than `within` is
    /// given up; its keys are made free, which takes as long as Redis does.
    pub async fn at_rest(&self, within: Duration) {
        self.reception.at_rest(within).await;
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("options", &self.reception.options)
            .finish_non_exhaustive()
    }
}
