//! An axum service that loses nothing when it stops: `cargo run -p tria-lifecycle --example serve`,
//! ask it, and end it with Ctrl-C or SIGTERM.

use std::{convert::Infallible, error::Error, process::ExitCode, time::Duration};

use axum::response::sse::{Event, Sse};
use axum::{Extension, Router, routing::get};
use futures_util::{Stream, stream};
use tria_lifecycle::serve::{DrainSignal, Server};
use tria_lifecycle::{Lifecycle, Signals};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let signals = Signals::install()?;
    tracing_subscriber::fmt().init();
    tokio::runtime::Runtime::new()?.block_on(async {
        let router = Router::new()
            .route("/", get(async || "hello\n"))
            .route("/events", get(events));
        let server = Server::bind(([127, 0, 0, 1], 0).into())?.serve(router);
        tracing::info!(address = %server.local_addr(), "listening");
        let lifecycle = Lifecycle::builder()
            .signals(&signals)
            .hook(server.hook("http"))
            .pre_drain(Duration::from_secs(3))
            .build()?;
        Ok(ExitCode::from(&lifecycle.run().await))
    })
}

/// Streams for ever, and says goodbye when the server closes.
async fn events(
    Extension(drain): Extension<DrainSignal>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last = Event::default().event("shutdown").data("{}");
    Sse::new(drain.end_with(stream::pending(), Ok(last)))
}
