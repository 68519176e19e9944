//! A server to try, whose handlers tell what they are at and wait for the test.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::get,
};
use futures_util::{StreamExt, stream};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::timeout,
};
use tria_lifecycle::serve::{DrainSignal, Server, ServerHandle};

use super::client::{Client, PATIENCE};

/// A server to try.
pub(crate) struct Rig {
    pub(crate) handle: ServerHandle,
    pub(crate) address: SocketAddr,
    pub(crate) gate: Gate,
}

/// Holds up handlers, and counts those that it ever held up.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    open: Arc<watch::Sender<bool>>,
    entered: Arc<watch::Sender<usize>>,
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

// === impl Rig ===

impl Rig {
    pub(crate) fn start() -> Self {
        Self::with(|server| server)
    }

    pub(crate) fn with(options: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let gate = Gate::closed();
        let handle = options(server.peer_as(ConnectInfo)).serve(router(gate.clone()));
        Self {
            address: handle.local_addr(),
            handle,
            gate,
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await.unwrap()
    }

    /// A connection that is idle after a request.
    pub(crate) async fn idle(&self) -> Client {
        let mut client = self.connect().await;
        assert_eq!(client.ask("/").await.body, "ok");
        client
    }

    /// A connection with a request in flight, that waits for the gate.
    pub(crate) async fn busy(&self) -> Client {
        let entered = self.gate.entered();
        let mut client = self.connect().await;
        client.send(&super::client::get("/gate")).await;
        self.gate.until_entered(entered + 1).await;
        client
    }
}

// === impl Gate ===

impl Gate {
    fn closed() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(false)),
            entered: Arc::new(watch::Sender::new(0)),
        }
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    pub(crate) fn entered(&self) -> usize {
        *self.entered.borrow()
    }

    /// Waits until so many handlers have come to it.
    pub(crate) async fn until_entered(&self, count: usize) {
        let mut entered = self.entered.subscribe();
        let entered = entered.wait_for(|entered| *entered >= count);
        timeout(PATIENCE, entered).await.expect("it hangs").unwrap();
    }

    fn enter(&self) {
        self.entered.send_modify(|entered| *entered += 1);
    }

    async fn pass(&self) {
        self.enter();
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

fn router(gate: Gate) -> Router {
    Router::new()
        .route("/", get(async || "ok"))
        .route("/peer", get(peer))
        .route("/gate", get(held_up).post(held_up))
        .route("/half", get(half))
        .route("/endless", get(endless))
        .route("/large", get(async || "x".repeat(300_000)))
        // More than the kernel takes at once.
        .route("/huge", get(async || "x".repeat(20_000_000)))
        .route("/block", get(block))
        .route("/panic", get(panics))
        .route("/panic-later", get(panics_later))
        .route("/events", get(events))
        .route("/upgrade", get(upgrade))
        .with_state(gate)
}

async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
    peer.to_string()
}

async fn held_up(State(gate): State<Gate>) -> &'static str {
    gate.pass().await;
    "done"
}

/// The head and half the body at once, the rest when the gate opens.
async fn half(State(gate): State<Gate>) -> Body {
    let first = stream::once(async { Ok::<_, Infallible>("half ") });
    let second = stream::once(async move {
        gate.pass().await;
        Ok("done")
    });
    Body::from_stream(first.chain(second))
}

async fn endless() -> Body {
    let chunk = Bytes::from(vec![b'x'; 65_536]);
    Body::from_stream(stream::repeat(chunk).map(Ok::<_, Infallible>))
}

async fn block(State(gate): State<Gate>) -> &'static str {
    gate.enter();
    std::thread::sleep(ms(2500));
    "done"
}

async fn panics() -> &'static str {
    panic!("a bug")
}

async fn panics_later() -> Body {
    let first = stream::once(async { Ok::<_, Infallible>("half ") });
    let second = stream::once(async {
        tokio::task::yield_now().await;
        panic!("a bug")
    });
    Body::from_stream(first.chain(second))
}

async fn events(Extension(drain): Extension<DrainSignal>) -> impl IntoResponse {
    let hello = stream::once(async { Ok::<_, Infallible>(Event::default().data("hello")) });
    let last = Event::default().event("shutdown").data("{}");
    Sse::new(drain.end_with(hello.chain(stream::pending()), Ok(last)))
}

/// Speaks a protocol of its own: it answers each byte with the next one, and says goodbye to
/// those who have sent an `a` when the server closes.
async fn upgrade(Extension(drain): Extension<DrainSignal>, request: Request) -> Response {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let mut stream = TokioIo::new(upgraded);
        let mut listens = false;
        loop {
            tokio::select! {
                byte = stream.read_u8() => match byte {
                    Ok(byte) => {
                        listens |= byte == b'a';
                        stream.write_u8(byte + 1).await.unwrap();
                    }
                    Err(_) => return,
                },
                () = drain.sent(), if listens => {
                    stream.write_all(b"bye").await.unwrap();
                    return;
                }
            }
        }
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "next")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
