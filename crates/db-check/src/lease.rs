//! One connection, taken for one question at a time.

use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::{Fault, fault};

/// A connection of a pool that goes back only when every answer was read. A probe that is
/// dropped in the middle closes its connection: the next user must not wait behind its query.
pub(crate) struct Lease {
    client: Option<Object>,
    settled: bool,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) fault: &'static Fault,
    pub(crate) error: Option<tokio_postgres::Error>,
}

/// What came of several questions.
#[derive(Debug)]
pub(crate) struct Answers {
    /// The rows of all answers, in the order of the questions.
    pub(crate) rows: Vec<SimpleQueryRow>,
    /// Why there are no more, where one was not answered.
    pub(crate) stopped: Option<Unanswered>,
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(client: Object) -> Self {
        Self {
            client: Some(client),
            settled: true,
        }
    }

    /// Asks a question in one round trip. The server is told when to give up, so that an answer
    /// that nobody waits for does not go on costing it.
    pub(crate) async fn ask(
        &mut self,
        query: &str,
        answer_by: Instant,
    ) -> Result<Vec<SimpleQueryRow>, Unanswered> {
        let answers = self.ask_each(&[query], answer_by).await;
        match answers.stopped {
            None => Ok(answers.rows),
            Some(unanswered) => Err(unanswered),
        }
    }

    /// Asks several questions in one round trip, each with an equal share of the time, and gives
    /// the answers up to the first that is refused.
    pub(crate) async fn ask_each(&mut self, queries: &[&str], answer_by: Instant) -> Answers {
        let mut rows = Vec::new();
        let Some(client) = self.client.as_ref() else {
            let stopped = Some(Unanswered::new(&fault::CONNECTION_LOST));
            return Answers { rows, stopped };
        };
        let left = answer_by.saturating_duration_since(Instant::now());
        let share = left.mul_f32(0.9).as_millis() / queries.len().max(1) as u128;
        // Several statements in one message are one transaction, which ends the setting too.
        let limited: Vec<String> = queries
            .iter()
            .map(|query| format!("SET LOCAL statement_timeout = {}; {query}", share.max(1)))
            .collect();
        let asking = async {
            let messages = client.simple_query_raw(&limited.join("; ")).await?;
            let mut messages = pin!(messages);
            while let Some(message) = messages.try_next().await? {
                if let SimpleQueryMessage::Row(row) = message {
                    rows.push(row);
                }
            }
            Ok::<(), tokio_postgres::Error>(())
        };
        self.settled = false;
        let stopped = match timeout_at(answer_by, asking).await {
            Ok(Ok(())) => {
                self.settled = true;
                None
            }
            Ok(Err(error)) => {
                // After a refusal the connection is in order, unless it was the last word.
                self.settled = error.as_db_error().is_some() && !client.is_closed();
                Some(Unanswered {
                    fault: Fault::of(&error),
                    error: Some(error),
                })
            }
            Err(_elapsed) => Some(Unanswered::new(&fault::QUERY_TIMEOUT)),
        };
        Answers { rows, stopped }
    }

    /// Ends the connection instead of giving it back.
    pub(crate) fn close(mut self) {
        self.settled = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (false, Some(client)) = (self.settled, self.client.take()) {
            drop(Object::take(client));
        }
    }
}

// === impl Unanswered ===

impl Unanswered {
    fn new(fault: &'static Fault) -> Self {
        Self { fault, error: None }
    }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
