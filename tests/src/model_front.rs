//! What stands between a service and the real model: it remembers, and it misbehaves on command.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::pending,
    net::{self, IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock, Mutex},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{
    net::TcpListener,
    runtime,
    sync::{OnceCell, oneshot, watch},
    time::{sleep, timeout},
};

use crate::http;

/// Longer than anything may take here.
const LONG: Duration = Duration::from_secs(60);

/// An OpenAI-compatible API that passes on what it is asked, and embeds each text only once for all
/// tests of a process: a service learns from the same hundreds of examples at each start, which
/// costs the real model seconds. It closes when this is dropped.
pub struct ModelFront {
    address: SocketAddr,
    desk: Arc<Desk>,
    closing: Option<oneshot::Sender<()>>,
}

/// How requests of one kind are treated from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// They are passed on.
    #[default]
    Pass,
    /// They are passed on so much later.
    Slow(Duration),
    /// They are answered with a stream of words, one a second, for so long.
    Speak(Duration),
    /// They are answered with 500.
    Fail,
    /// They are never answered, also when this is over.
    Hang,
}

/// The kinds of requests that are treated apart. The list of the models is always passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Embeddings.
    Embedding,
    /// Completions, also as streams.
    Completion,
}

struct Desk {
    client: reqwest::Client,
    /// As in `http://127.0.0.1:8080`.
    upstream: String,
    conduct: Mutex<[Conduct; 2]>,
    asked: watch::Sender<Vec<(Call, String)>>,
}

/// A complete answer of the real model.
#[derive(Clone)]
struct Told {
    status: StatusCode,
    kind: String,
    body: Bytes,
}

/// What was embedded, by the whole body of the request. Who asks for the same waits for the first.
type Memory = Mutex<HashMap<Bytes, Arc<OnceCell<Told>>>>;

static EMBEDDED: LazyLock<Memory> = LazyLock::new(Memory::default);

// === impl ModelFront ===

impl ModelFront {
    /// Opens before the model at this base URL, as in `http://127.0.0.1:8080/v1`. It has a thread
    /// of its own, so that it outlives the test that opened it, where several share a shop.
    ///
    /// # Panics
    /// If no port is free.
    pub fn open(base_url: &str) -> Self {
        Self::open_at(base_url, IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The same at another address of this machine, for who cannot reach the loopback.
    ///
    /// # Panics
    /// If no port of it is free.
    pub fn open_at(base_url: &str, address: IpAddr) -> Self {
        let desk = Arc::new(Desk {
            client: http::client(LONG),
            upstream: base_url.trim_end_matches("/v1").to_owned(),
            conduct: Mutex::default(),
            asked: watch::Sender::default(),
        });
        let listener = net::TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("it need not block");
        let (close, closing) = oneshot::channel();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&desk));
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("it serves"),
                    // By the sender's end.
                    _ = closing => {}
                }
            });
        });
        Self {
            address,
            desk,
            closing: Some(close),
        }
    }

    /// Its own base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Treats requests of this kind so from now on.
    ///
    /// # Panics
    /// Never: nobody panics while this is changed.
    pub fn set(&self, asked: Call, conduct: Conduct) {
        self.desk.conduct.lock().expect("nobody panicked")[asked as usize] = conduct;
    }

    /// The bodies of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.desk.asked.borrow();
        asked.iter().map(|(_, body)| body.clone()).collect()
    }

    /// How often it was asked for this so far.
    pub fn times(&self, what: Call) -> usize {
        times(&self.desk.asked.borrow(), what)
    }

    /// Waits until it was asked for this more often than so many times.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn is_asked(&self, what: Call, more_than: usize) {
        let mut seen = self.desk.asked.subscribe();
        let came = seen.wait_for(|seen| times(seen, what) > more_than);
        let came = timeout(LONG, came).await;
        assert!(came.is_ok(), "nobody asked for {what:?}");
    }
}

fn times(seen: &[(Call, String)], what: Call) -> usize {
    seen.iter().filter(|(call, _)| *call == what).count()
}

impl Drop for ModelFront {
    fn drop(&mut self) {
        drop(self.closing.take());
    }
}

async fn serve(
    State(desk): State<Arc<Desk>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = match uri.path() {
        "/v1/embeddings" => Some(Call::Embedding),
        "/v1/chat/completions" => Some(Call::Completion),
        _ => None,
    };
    if let Some(asked) = asked {
        let text = String::from_utf8_lossy(&body).into_owned();
        desk.asked.send_modify(|seen| seen.push((asked, text)));
        let conduct = desk.conduct.lock().expect("nobody panicked")[asked as usize];
        match conduct {
            Conduct::Pass => {}
            Conduct::Speak(time) => return speech(time),
            Conduct::Slow(time) => sleep(time).await,
            Conduct::Fail => {
                return Told::failure(StatusCode::INTERNAL_SERVER_ERROR).into_response();
            }
            Conduct::Hang => pending().await,
        }
    }
    let told = match asked {
        Some(Call::Embedding) => desk.remember(method, &uri, &headers, body).await,
        _ => desk.pass(method, &uri, &headers, body).await,
    };
    told.into_response()
}

/// A model that speaks slowly, and says nothing.
fn speech(time: Duration) -> Response {
    let piece = |delta: serde_json::Value, ended: serde_json::Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": ended });
        let chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let mut pieces: Vec<String> = (0..time.as_secs())
        .map(|second| piece(json!({ "content": format!("{second} ") }), json!(null)))
        .collect();
    let end = piece(json!({}), json!("stop"));
    pieces.push(format!("{end}data: [DONE]\n\n"));
    let pieces = stream::iter(pieces).then(|piece| async move {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(piece)
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(pieces)).into_response()
}

// === impl Told ===

impl Told {
    fn failure(status: StatusCode) -> Self {
        let error = json!({ "message": "planted", "type": "server_error", "code": null });
        Self {
            status,
            kind: "application/json".to_owned(),
            body: json!({ "error": error }).to_string().into(),
        }
    }

    async fn of(answer: reqwest::Response) -> Self {
        let status = answer.status();
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("application/json").to_owned();
        match answer.bytes().await {
            Ok(body) => Self { status, kind, body },
            Err(_) => Self::failure(StatusCode::BAD_GATEWAY),
        }
    }

    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, self.kind)];
        (self.status, kind, self.body).into_response()
    }
}

// === impl Desk ===

impl Desk {
    async fn remember(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Told {
        let cell = {
            let mut memory = EMBEDDED.lock().expect("nobody panicked");
            Arc::clone(memory.entry(body.clone()).or_default())
        };
        let told = cell.get_or_try_init(|| async {
            let told = self.pass(method, uri, headers, body).await;
            // What failed may succeed the next time.
            if told.status == StatusCode::OK {
                Ok(told)
            } else {
                Err(told)
            }
        });
        told.await.cloned().unwrap_or_else(|failed| failed)
    }

    async fn pass(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Told {
        let mut request = self
            .client
            .request(method, format!("{}{uri}", self.upstream));
        for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        match request.body(body).send().await {
            Ok(answer) => Told::of(answer).await,
            Err(_) => Told::failure(StatusCode::BAD_GATEWAY),
        }
    }
}
