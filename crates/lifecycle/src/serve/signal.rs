//! How handlers learn that the server ends.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;

/// Tells handlers that the server closes, so that what would go on for ever comes to an end:
/// an event stream, a long poll, a WebSocket. Clones tell the same.
///
/// Every request carries one in its extensions; with axum a handler takes
/// `Extension<DrainSignal>`. It is sent when the listener closes, after the pre-drain; whoever
/// comes back then is routed to another server.
///
/// A stream of server-sent events that ends with a last event:
///
/// ```
/// use std::convert::Infallible;
///
/// use axum::{
///     Extension,
///     response::sse::{Event, Sse},
/// };
/// use futures_util::{Stream, stream};
/// use tria_lifecycle::serve::DrainSignal;
///
/// async fn events(
///     Extension(drain): Extension<DrainSignal>,
/// ) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
///     let last = Event::default().event("shutdown").data("{}");
///     Sse::new(drain.end_with(stream::pending(), Ok(last)))
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DrainSignal {
    // Cloning a token takes a lock that all requests would share.
    token: Arc<CancellationToken>,
}

// === impl DrainSignal ===

impl DrainSignal {
    /// Waits until the server closes.
    pub async fn sent(&self) {
        self.token.cancelled().await;
    }

    /// Whether the server closes.
    pub fn is_sent(&self) -> bool {
        self.token.is_cancelled()
    }

    /// The items of `stream` until the server closes, then `last`, and the end. A stream that ends
    /// before stays as it is.
    pub fn end_with<S: Stream>(
        &self,
        stream: S,
        last: S::Item,
    ) -> impl Stream<Item = S::Item> + use<S> {
        let begin = Some((self.clone(), Box::pin(stream), last));
        stream::unfold(begin, async |state| {
            let (signal, mut stream, last) = state?;
            tokio::select! {
                biased;
                () = signal.sent() => Some((last, None)),
                item = stream.next() => item.map(|item| (item, Some((signal, stream, last)))),
            }
        })
    }

    pub(super) fn send(&self) {
        self.token.cancel();
    }
}
