//! One connection, taken for one question at a time.

use deadpool_postgres::Object;
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
        let lost = Unanswered {
            fault: &fault::CONNECTION_LOST,
            error: None,
        };
        let Some(client) = self.client.as_ref() else {
            return Err(lost);
        };
        let left = answer_by.saturating_duration_since(Instant::now());
        // Several statements in one message are one transaction, which ends the setting too.
        let limited = format!(
            "SET LOCAL statement_timeout = {}; {query}",
            left.mul_f32(0.9).as_millis().max(1)
        );
        self.settled = false;
        match timeout_at(answer_by, client.simple_query(&limited)).await {
            Ok(Ok(messages)) => {
                self.settled = true;
                Ok(messages.into_iter().filter_map(row).collect())
            }
            Ok(Err(error)) => {
                // After a refusal the connection is in order, unless it was the last word.
                self.settled = error.as_db_error().is_some() && !client.is_closed();
                Err(Unanswered {
                    fault: Fault::of(&error),
                    error: Some(error),
                })
            }
            Err(_elapsed) => Err(Unanswered {
                fault: &fault::QUERY_TIMEOUT,
                error: None,
            }),
        }
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

fn row(message: SimpleQueryMessage) -> Option<SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
