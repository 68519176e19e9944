//! A TCP server that says what no HTTP server would, and sees when its client leaves.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Listens on a port of its own, until it is dropped.
pub(crate) struct RawServer {
    port: u16,
    task: JoinHandle<()>,
    requests: Arc<AtomicUsize>,
    left: watch::Receiver<usize>,
}

/// What it does once it has read the head of a request.
#[derive(Clone)]
pub(crate) enum Then {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Sends the first, then the second again and again while the client reads.
    SendForEver(Vec<u8>, Vec<u8>),
    /// Sends a head, then one byte of a body in a while.
    Drip,
    /// Sends nothing.
    Hang,
}

// === impl RawServer ===

impl RawServer {
    pub(crate) async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let (leave, left) = watch::channel(0);
        let counted = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (then, counted, leave) = (then.clone(), Arc::clone(&counted), leave.clone());
                tokio::spawn(async move {
                    serve(stream, then, &counted).await;
                    leave.send_modify(|left| *left += 1);
                });
            }
        });
        Self {
            port,
            task,
            requests,
            left,
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Waits until so many clients have left.
    pub(crate) async fn until_left(&mut self, clients: usize) {
        self.left.wait_for(|left| *left >= clients).await.unwrap();
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, then: Then, requests: &AtomicUsize) {
    if !read_head(&mut stream).await {
        return;
    }
    requests.fetch_add(1, Ordering::SeqCst);
    match then {
        Then::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Then::SendForEver(head, body) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(&body).await.is_ok() {}
        }
        Then::Drip => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
            let _ = stream.write_all(head).await;
            let mut clock = tokio::time::interval(std::time::Duration::from_millis(20));
            while stream.write_all(b" ").await.is_ok() {
                clock.tick().await;
            }
        }
        Then::Hang => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    }
}

/// Whether a whole head came.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}
