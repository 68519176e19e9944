//! Answers messages: understands them, does what they ask for, and keeps what came of it.

mod answer;
mod complaint;
mod error;
mod ordering;
mod questions;
mod reply;
mod routes;
mod shelf;
mod status;
mod timeline;
mod understanding;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;
use tokio::sync::{Mutex, mpsc::UnboundedSender};
use uuid::Uuid;

pub(crate) use self::timeline::Told;
pub use self::{
    answer::{Answer, Citation, Mode, TimelineStep},
    error::AnswerError,
};
use self::{
    routes::{Errand, Outcome},
    shelf::{Shelf, Stock},
    timeline::Timeline,
    understanding::Understanding,
};
use crate::{
    budget::Budget,
    idempotency::{Key, StoredAnswer},
    intent::Classifier,
    model::Model,
    orders::Limits,
    personal_data::{Masked, mask},
    retrieval::Retriever,
    session_token::Signer,
    sessions::{Session, SessionError},
    turns::{self, Composed, Done, Kept, SessionRef, Turn, TurnError, Work},
};

/// What an assistant works with.
#[derive(Debug)]
pub struct AssistantParts {
    /// Sessions, products and orders.
    pub pool: Pool,
    /// What understands and what phrases.
    pub model: Model,
    /// What finds passages.
    pub retriever: Retriever,
    /// Signs the ids of sessions.
    pub signer: Signer,
    /// What an order may be.
    pub limits: Limits,
    /// What the model is asked for.
    pub options: AssistantOptions,
}

/// What the model is asked for, besides embeddings.
#[derive(Clone, Copy, Debug)]
pub struct AssistantOptions {
    /// Whether it phrases answers. Otherwise passages are quoted.
    pub generate: bool,
    /// Whether it says what a message is about where the examples leave that open. A small model
    /// guesses.
    pub judge: bool,
}

/// Answers messages. Clones are the same.
#[derive(Clone)]
pub struct Assistant {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    model: Model,
    retriever: Retriever,
    signer: Signer,
    limits: Limits,
    options: AssistantOptions,
    understanding: Understanding,
    shelf: Shelf,
    /// Held while it learns, so that messages that find it unready cause one learning.
    learning: Mutex<()>,
}

/// What messages are compared with.
struct Learnt {
    classifier: Arc<Classifier>,
    stock: Arc<Stock>,
}

/// Whose message it is, and in which conversation.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) user_id: String,
    pub(crate) session_id: Uuid,
    /// Whether this begins it.
    pub(crate) is_new: bool,
    /// For whom the id of the session is signed.
    pub(crate) token_user: String,
}

/// A message, judged and let in.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) conversation: Conversation,
    pub(crate) key: Key,
    pub(crate) request_hash: [u8; 32],
    pub(crate) message: String,
    pub(crate) outlet_id: Option<i64>,
    pub(crate) outlet_name: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) begun: Instant,
    pub(crate) listener: Option<UnboundedSender<Told>>,
}

/// What came of a message.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) answer: StoredAnswer,
    /// What it was taken for; empty where the answer was there already.
    pub(crate) intent: &'static str,
    /// Whether it was answered before.
    pub(crate) was_there: bool,
}

/// How often a message is read again because another one of its conversation came between.
const MOST_READINGS: usize = 4;

// === impl Assistant ===

impl Assistant {
    /// An assistant that has learnt nothing yet: [`Assistant::refresh`] makes it ready, or else its
    /// first message.
    pub fn new(parts: AssistantParts) -> Self {
        let AssistantParts {
            pool,
            model,
            retriever,
            signer,
            limits,
            options,
        } = parts;
        let inner = Inner {
            pool,
            model,
            retriever,
            signer,
            limits,
            options,
            understanding: Understanding::default(),
            shelf: Shelf::default(),
            learning: Mutex::new(()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Embeds the examples of intents, once, and the products whenever one was changed. To be
    /// called before the first message, and every few seconds from then on. Whether anything
    /// changed.
    ///
    /// # Errors
    /// [`AnswerError`]; what was known before stays.
    pub async fn refresh(&self) -> Result<bool, AnswerError> {
        let _alone = self.inner.learning.lock().await;
        self.inner.learn().await
    }

    /// Deletes answers that are too old to be asked for again, so many at most; and how many.
    ///
    /// # Errors
    /// [`AnswerError::Database`].
    pub async fn prune(&self, older_than: Duration, most: u32) -> Result<u64, AnswerError> {
        Ok(turns::prune(&self.inner.pool, older_than, most).await?)
    }

    /// What the model can be asked for at the moment.
    pub fn model(&self) -> &Model {
        &self.inner.model
    }

    /// How many products and outlets are known; `None` before it is ready.
    pub fn known(&self) -> Option<(usize, usize)> {
        let stock = self.inner.shelf.stock()?;
        Some((stock.matcher.items().count(), stock.outlets.iter().count()))
    }

    /// Answers a message, within a time, and keeps everything that comes of it at once.
    pub(crate) async fn answer(
        &self,
        asked: Asked,
        budget: Budget,
    ) -> Result<Answered, AnswerError> {
        // It is large, and would be part of everything that waits for it.
        let work = Box::pin(self.inner.answer(asked, budget));
        budget.within(budget.left(), work).await?
    }
}

impl fmt::Debug for Assistant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assistant")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    async fn learn(&self) -> Result<bool, AnswerError> {
        let embedder = self.model.embedder();
        let learnt = self.understanding.learn(embedder.clone()).await?;
        let filled = self.shelf.refresh(&self.pool, embedder).await?;
        Ok(learnt | filled)
    }

    fn learnt(&self) -> Option<Learnt> {
        Some(Learnt {
            classifier: self.understanding.classifier()?,
            stock: self.shelf.stock()?,
        })
    }

    /// What is known; it is learnt now unless that was done.
    async fn be_ready(&self) -> Result<Learnt, AnswerError> {
        let _alone = self.learning.lock().await;
        if self.learnt().is_none() {
            self.learn().await?;
        }
        // Whoever has learnt something never forgets it.
        self.learnt().ok_or(AnswerError::Contended)
    }

    async fn answer(&self, asked: Asked, budget: Budget) -> Result<Answered, AnswerError> {
        let mut timeline = Timeline::new(asked.begun, asked.listener.clone());
        let Conversation { user_id, .. } = &asked.conversation;
        // Redis may have lost the answer, or never got it.
        let known = turns::answered(&self.pool, user_id, &asked.key, &asked.request_hash);
        if let Some(answer) = timeline.step("recall", known).await? {
            return Ok(Answered {
                answer,
                intent: "",
                was_there: true,
            });
        }
        let learnt = match self.learnt() {
            Some(learnt) => learnt,
            None => timeline.step("learn", self.be_ready()).await?,
        };
        let masked = mask(&asked.message);
        let mut outcome = None;
        for _ in 0..MOST_READINGS {
            let session = timeline.step("session", self.session(&asked)).await?;
            // What depends on nothing that was said before holds, whatever came between.
            let reused = outcome.take().filter(Outcome::stands_alone);
            let now = if let Some(outcome) = reused {
                outcome
            } else {
                let scene = (&asked, masked.text.as_str(), session.as_ref());
                let outcome = self.outcome(&learnt, scene, budget, &mut timeline);
                outcome.await?
            };
            let message = (&asked, &masked, session.as_ref());
            match self.keep(message, &now, &timeline).await {
                Ok(kept) => return Ok(now.answered(kept)),
                Err(TurnError::Refused(problems)) => {
                    let now = now.refused(&problems);
                    match self.keep(message, &now, &timeline).await {
                        Ok(kept) => return Ok(now.answered(kept)),
                        Err(TurnError::Moved) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(TurnError::Moved) => outcome = Some(now),
                Err(error) => return Err(error.into()),
            }
        }
        Err(AnswerError::Contended)
    }

    /// The conversation as it stands; `None` if this message begins it.
    async fn session(&self, asked: &Asked) -> Result<Option<Session>, AnswerError> {
        let Conversation {
            user_id,
            session_id,
            is_new,
            ..
        } = &asked.conversation;
        match Session::resume(&self.pool, *session_id, user_id).await {
            Ok(session) => Ok(Some(session)),
            Err(SessionError::NotFound) if *is_new => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes everything at once, and the answer with it.
    async fn keep(
        &self,
        (asked, masked, session): (&Asked, &Masked, Option<&Session>),
        outcome: &Outcome,
        timeline: &Timeline,
    ) -> Result<Kept, TurnError> {
        let conversation = &asked.conversation;
        let citations = serde_json::to_value(&outcome.reply.citations).unwrap_or_default();
        let lines = match &outcome.errand {
            Errand::Order { draft, .. } => draft.lines(),
            _ => Vec::new(),
        };
        let pending = outcome.pending_value();
        let language = language(asked, session);
        let turn = Turn {
            user_id: &conversation.user_id,
            key: &asked.key,
            request_hash: asked.request_hash,
            session: match session {
                Some(session) => SessionRef::At {
                    id: session.id,
                    turns: session.turns,
                },
                None => SessionRef::New {
                    id: conversation.session_id,
                    language,
                },
            },
            message: &masked.text,
            masked_items: u32::try_from(masked.items.len()).unwrap_or(u32::MAX),
            intent: outcome.intent,
            confidence: outcome.confidence,
            citations: &citations,
            outlet_id: outcome.outlet_id,
            pending: pending.as_ref(),
            work: match &outcome.errand {
                Errand::Nothing => Work::Nothing,
                Errand::Order { outlet, .. } => Work::Order {
                    outlet_id: outlet.id,
                    lines: &lines,
                },
                Errand::Complaint { order_id } => Work::Complaint {
                    order_id: *order_id,
                    text: &masked.text,
                },
            },
        };
        let token = self
            .signer
            .sign(conversation.session_id, &conversation.token_user);
        let compose = |done: &Done| {
            let answer = outcome.compose(done, token, language, timeline.steps());
            Composed {
                text: answer.message.clone(),
                answer: StoredAnswer {
                    status: 200,
                    content_type: "application/json".to_owned(),
                    body: answer.to_bytes(),
                },
            }
        };
        turns::keep(&self.pool, &turn, &self.limits, compose).await
    }
}

/// In which a customer wants to be answered: the conversation's, unless the message says otherwise.
fn language<'a>(asked: &'a Asked, session: Option<&'a Session>) -> &'a str {
    let of_session = session.map(|session| session.language.as_str());
    asked.language.as_deref().or(of_session).unwrap_or("en")
}
