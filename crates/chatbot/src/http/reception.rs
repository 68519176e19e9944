//! What a request passes before its work begins, the same for an answer and for a stream.

use std::{
    error::Error,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc::UnboundedSender, oneshot},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    ChatOptions,
    problem::Problem,
    request::{ChatRequest, GUEST},
    verdict,
};
use crate::{
    assistant::{AnswerError, Answered, Asked, Assistant, Conversation, Told},
    budget::Budget,
    idempotency::{Claim, Entry, Gate, GateError, StoredAnswer, fingerprint},
    rate_limit::{Limiter, Verdict},
    session_token::Signer,
};

/// The path by which requests are compared: that of the plain answer, so that a stream that broke
/// off may be had as a plain answer, and the other way round.
const PATH: &str = "/api/chatbot";

/// Who lets requests in.
pub(crate) struct Reception {
    pub(super) assistant: Assistant,
    pub(super) gate: Gate,
    pub(super) signer: Signer,
    pub(super) per_user: Option<Limiter>,
    pub(super) per_address: Option<Limiter>,
    pub(super) options: ChatOptions,
    /// Requests that may be here at all, those that wait for another's answer included.
    pub(super) present: Arc<Semaphore>,
    /// Requests whose work may be under way.
    pub(super) at_work: Arc<Semaphore>,
    /// Work goes on when whoever wanted it is gone, since a repetition takes its answer.
    pub(super) work: TaskTracker,
    /// Is cancelled when no work may go on any more.
    pub(super) over: CancellationToken,
}

/// A request that came in.
pub(super) struct Arrival<'a> {
    pub(super) request_id: Uuid,
    pub(super) begun: Instant,
    pub(super) peer: IpAddr,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// What becomes of a request that was let in.
pub(super) enum Admitted {
    /// Its answer was given before.
    Replay(StoredAnswer),
    /// Its work is under way.
    Begun(oneshot::Receiver<Result<Given, Problem>>),
}

/// An answer to send.
pub(super) struct Given {
    pub(super) answer: StoredAnswer,
    /// Whether it was given before.
    pub(super) again: bool,
}

/// What a request learns on its way in, whether it is let in or not.
#[derive(Default)]
pub(super) struct Notes {
    /// What the rate limits say: that which is nearest to its end.
    pub(super) rate: Option<Verdict>,
}

// === impl Reception ===

impl Reception {
    /// Lets a request in: judges it, counts it, and begins its work unless that was done before.
    pub(super) async fn admit(
        self: &Arc<Self>,
        arrival: Arrival<'_>,
        listener: Option<UnboundedSender<Told>>,
        notes: &mut Notes,
    ) -> Result<Admitted, Problem> {
        let budget = Budget::of(self.options.budget);
        let present = Arc::clone(&self.present).try_acquire_owned();
        let _present = present.map_err(|_| Problem::overloaded())?;
        let address = self.options.proxies.client(arrival.peer, arrival.headers);
        self.count(self.per_address.as_ref(), &address.to_string(), notes)
            .await?;
        let request = ChatRequest::read(arrival.headers, arrival.body)?;
        let conversation = self.conversation(&request, address)?;

        let print = fingerprint("POST", PATH, &request.body);
        let entered = self
            .gate
            .enter(&conversation.user_id, &request.key, &print)
            .await;
        let claim = match entered.map_err(|error| Problem::of_gate(&error))? {
            Entry::First(claim) => claim,
            Entry::Replay(answer) => return Ok(Admitted::Replay(answer)),
            Entry::Mismatch => return Err(Problem::key_reused()),
            Entry::Busy { retry_after } => return Err(Problem::busy(retry_after)),
        };
        // From here on a refusal drops the claim, which makes the key free again.
        let permit = Arc::clone(&self.at_work).try_acquire_owned();
        let permit = permit.map_err(|_| Problem::overloaded())?;
        self.count(self.per_user.as_ref(), &conversation.user_id, notes)
            .await?;
        let asked = Asked {
            conversation,
            key: request.key,
            request_hash: print,
            message: request.message,
            outlet_id: request.outlet_id,
            outlet_name: request.outlet_name,
            language: request.language,
            begun: arrival.begun,
            listener,
        };
        let (give, take) = oneshot::channel();
        let work = Arc::clone(self).work(arrival.request_id, asked, budget, claim, permit);
        self.work.spawn(async move {
            // Whoever wanted it may be gone.
            let _ = give.send(work.await);
        });
        Ok(Admitted::Begun(take))
    }

    /// Waits until the work of all requests is over; there must be no new ones. What takes longer
    /// than `within` is given up, and its keys are free then.
    pub(crate) async fn at_rest(&self, within: Duration) {
        self.work.close();
        if timeout(within, self.work.wait()).await.is_err() {
            self.over.cancel();
            self.work.wait().await;
        }
    }

    /// Makes the answer, and keeps it for repetitions.
    async fn work(
        self: Arc<Self>,
        request_id: Uuid,
        asked: Asked,
        budget: Budget,
        mut claim: Claim,
        _permit: OwnedSemaphorePermit,
    ) -> Result<Given, Problem> {
        let begun = asked.begun;
        let answering = self.assistant.answer(asked, budget);
        let answered = match self.over.run_until_cancelled(answering).await {
            Some(answered) => tell(request_id, begun.elapsed(), answered),
            None => Err(Problem::ending()),
        };
        match &answered {
            // The database has the answer too, so that this may fail.
            Ok(given) => {
                if let Err(error) = claim.complete(&given.answer).await {
                    warn(request_id, &error, "the answer was not kept in redis");
                }
            }
            Err(_) => {
                if let Err(error) = claim.release().await {
                    warn(request_id, &error, "the key is free when its lease ends");
                }
            }
        }
        answered
    }

    /// Whose request it is, and of which conversation.
    fn conversation(
        &self,
        request: &ChatRequest,
        address: IpAddr,
    ) -> Result<Conversation, Problem> {
        let token_user = request.user_id.as_deref().unwrap_or(GUEST);
        let token = request.session_id.as_deref();
        let known = token.map(|token| self.signer.verify(token, token_user));
        let known = known.transpose().map_err(|_| Problem::session())?;
        let named = request.user_id.clone();
        let session_id = known.unwrap_or_else(|| match &named {
            Some(_) => Uuid::new_v4(),
            // A guest is known by the conversation alone. The first message makes one out of where
            // it comes from and its key, so that a repetition finds the same.
            None => self
                .signer
                .guest(&address.to_string(), request.key.as_str()),
        });
        Ok(Conversation {
            user_id: named.unwrap_or_else(|| format!("{GUEST}{session_id}")),
            session_id,
            is_new: known.is_none(),
            token_user: token_user.to_owned(),
        })
    }

    async fn count(
        &self,
        limiter: Option<&Limiter>,
        subject: &str,
        notes: &mut Notes,
    ) -> Result<(), Problem> {
        let Some(limiter) = limiter else {
            return Ok(());
        };
        let counted = limiter.check(subject).await;
        let counted = counted.map_err(|error| {
            let error: &dyn Error = &error;
            tracing::warn!(target: "tria::chat", error, "a rate could not be counted");
            Problem::redis()
        })?;
        notes.take(counted);
        match counted.retry_after {
            Some(after) => Err(Problem::too_many(after)),
            None => Ok(()),
        }
    }
}

// === impl Notes ===

impl Notes {
    /// Of two limits clients learn of the one that has less left.
    fn take(&mut self, verdict: Verdict) {
        let less = |known: &Verdict| verdict.remaining < known.remaining || !verdict.allowed;
        if self.rate.as_ref().is_none_or(less) {
            self.rate = Some(verdict);
        }
    }

    /// Puts what was learnt on an answer.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if let Some(rate) = &self.rate {
            verdict::write(rate, headers);
        }
    }
}

/// Logs what came of a request, and gives what is sent.
fn tell(
    request_id: Uuid,
    elapsed: Duration,
    answered: Result<Answered, AnswerError>,
) -> Result<Given, Problem> {
    let elapsed_ms = milliseconds(elapsed);
    let error = match answered {
        Ok(Answered {
            answer,
            intent,
            was_there,
        }) => {
            tracing::info!(target: "tria::chat", %request_id, elapsed_ms, intent, was_there, "answered");
            return Ok(Given {
                answer,
                again: was_there,
            });
        }
        Err(error) => error,
    };
    let problem = Problem::of_answer(&error);
    let kind = problem.kind();
    if problem.status().is_server_error() {
        let error: &dyn Error = &error;
        tracing::warn!(target: "tria::chat", %request_id, elapsed_ms, kind, error, "not answered");
    } else {
        tracing::info!(target: "tria::chat", %request_id, elapsed_ms, kind, "refused");
    }
    Err(problem)
}

fn warn(request_id: Uuid, error: &GateError, consequence: &'static str) {
    let error: &dyn Error = error;
    tracing::warn!(target: "tria::chat", %request_id, error, "{consequence}");
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
