//! An answer as it comes, piece by piece.

use std::{mem, pin::Pin};

use eventsource_stream::{Event, EventStream, EventStreamError};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, Stream},
};
use reqwest::Response;

use super::{
    ModelError,
    api::LONGEST_ANSWER,
    circuit::Ticket,
    error::{Cause, Verdict},
    wire::{Chunk, Part},
};

/// The pieces of an answer.
pub(super) struct Pieces {
    events: Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<Broken>>> + Send>>,
    finished: bool,
}

/// An answer that has begun.
pub(super) struct Flow {
    pub(super) pieces: Pieces,
    /// `None` once it is settled.
    pub(super) ticket: Option<Ticket>,
}

enum Broken {
    Lost(reqwest::Error),
    TooLong,
}

// === impl Pieces ===

impl Pieces {
    pub(super) fn of(response: Response) -> Self {
        let chunks = stream::try_unfold((response, 0), |(mut response, read)| async move {
            let Some(chunk) = response.chunk().await.map_err(Broken::Lost)? else {
                return Ok(None);
            };
            let read = read + chunk.len();
            if read > LONGEST_ANSWER {
                return Err(Broken::TooLong);
            }
            Ok(Some((chunk, (response, read))))
        });
        Self {
            events: Box::pin(EventStream::new(chunks)),
            finished: false,
        }
    }

    /// The next piece; `None` after the last one.
    ///
    /// # Errors
    /// [`ModelError::Cut`], where the stream ends and the answer does not; [`ModelError::Malformed`]
    /// for anything but the events of an OpenAI-compatible API; what an error in it means.
    pub(super) async fn next(&mut self) -> Result<Option<String>, ModelError> {
        loop {
            let event = match self.events.next().await {
                Some(Ok(event)) => event,
                // Not all servers send the mark of the end.
                _ if self.finished => return Ok(None),
                None => return Err(ModelError::Cut(None)),
                Some(Err(EventStreamError::Transport(Broken::Lost(error)))) => {
                    return Err(ModelError::Cut(Some(Cause::from(error))));
                }
                // The error is not kept: it quotes what it does not understand.
                Some(Err(_)) => return Err(ModelError::Malformed),
            };
            if event.data == "[DONE]" {
                // What is read to its end leaves its connection to the next request.
                let _end = self.events.next().now_or_never();
                return Ok(None);
            }
            let chunk: Chunk =
                serde_json::from_str(&event.data).map_err(|_| ModelError::Malformed)?;
            let Part { text, finished } = chunk.part()?;
            self.finished |= finished;
            if text.is_some() {
                return Ok(text);
            }
        }
    }
}

// === impl Flow ===

impl Flow {
    /// A probe is settled by its first piece, for nothing else is let through until then; what was
    /// let through among others, by its end.
    pub(super) async fn begun(pieces: Pieces, ticket: Ticket) -> Self {
        let probe = ticket.is_probe();
        let mut flow = Self {
            pieces,
            ticket: Some(ticket),
        };
        if probe {
            flow.settle(Verdict::Served).await;
        }
        flow
    }

    pub(super) async fn settle(&mut self, verdict: Verdict) {
        if let Some(ticket) = mem::take(&mut self.ticket) {
            ticket.settle(verdict).await;
        }
    }
}
