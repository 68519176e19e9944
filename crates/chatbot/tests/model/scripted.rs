//! A server whose answers a test writes byte by byte, when it wants to.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// Listens on a port of its own, until it is dropped.
pub(crate) struct Scripted {
    port: u16,
    requests: mpsc::UnboundedReceiver<Request>,
    task: JoinHandle<()>,
}

/// A request that waits for its answer. Dropping it closes the connection.
pub(crate) struct Request {
    stream: TcpStream,
}

// === impl Scripted ===

impl Scripted {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrived, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let arrived = arrived.clone();
                tokio::spawn(async move {
                    if let Some(request) = Request::read(stream).await {
                        let _ = arrived.send(request);
                    }
                });
            }
        });
        Self {
            port,
            requests,
            task,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The next request, once it has arrived.
    pub(crate) async fn next(&mut self) -> Request {
        self.requests.recv().await.unwrap()
    }

    /// Whether no further request has arrived.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Request ===

impl Request {
    /// Reads the whole of it, so that closing the connection later is no reset.
    async fn read(mut stream: TcpStream) -> Option<Self> {
        let mut read = Vec::new();
        let head = loop {
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break String::from_utf8_lossy(&read[..end + 4]).into_owned();
            }
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(|length| length.trim().parse::<usize>().unwrap())
            })
            .unwrap_or(0);
        while read.len() < head.len() + length {
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
        }
        Some(Self { stream })
    }

    /// Answers with JSON, and closes.
    pub(crate) async fn json(mut self, status: u16, body: &serde_json::Value) {
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.write(head.as_bytes()).await;
    }

    /// Begins a stream of events.
    pub(crate) async fn stream(&mut self) {
        self.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
              transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        )
        .await;
    }

    /// One piece of an answer, as an event.
    pub(crate) async fn piece(&mut self, text: &str) {
        let chunk = serde_json::json!({ "choices": [{ "delta": { "content": text } }] });
        self.event(&chunk.to_string()).await;
    }

    pub(crate) async fn event(&mut self, data: &str) {
        self.chunk(format!("data: {data}\n\n").as_bytes()).await;
    }

    /// Bytes as one chunk of the body.
    pub(crate) async fn chunk(&mut self, bytes: &[u8]) {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await;
    }

    /// Ends the body as it should be.
    pub(crate) async fn end(mut self) {
        self.write(b"0\r\n\r\n").await;
    }

    /// Waits until the client closes the connection.
    pub(crate) async fn left(mut self) {
        let mut rest = [0; 64];
        while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    }

    /// Sends comments until the client closes the connection.
    pub(crate) async fn chatter(mut self) {
        while self
            .stream
            .write_all(b"c\r\n: keep alive\r\n")
            .await
            .is_ok()
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        // A client that has left is for the test to notice.
        let _ = self.stream.write_all(bytes).await;
    }
}
