//! A client that does exactly what a test says, byte by byte.

use std::{
    io::{self, ErrorKind, Write},
    net::{SocketAddr, TcpStream as StdStream},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Nothing here takes so long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) closes: bool,
    pub(crate) body: String,
}

/// A request without a body.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
}

// === impl Client ===

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(address).await?,
            unread: Vec::new(),
        })
    }

    /// Connects and asks before the runtime can notice: the test's thread is its only one.
    pub(crate) fn connect_at_once(address: SocketAddr, request: &str) -> Self {
        let mut stream = StdStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream: TcpStream::from_std(stream).unwrap(),
            unread: Vec::new(),
        }
    }

    /// Sends before the runtime can notice.
    pub(crate) fn send_at_once(&mut self, text: &str) {
        let sent = self.stream.try_write(text.as_bytes()).unwrap();
        assert_eq!(sent, text.len());
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends, and says whether that was still possible.
    pub(crate) async fn send_if_open(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).await.is_ok()
    }

    pub(crate) async fn ask(&mut self, path: &str) -> Answer {
        self.send(&get(path)).await;
        self.answer().await
    }

    /// The next answer, to its last byte.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.until("\r\n\r\n").await;
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).next()
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if let Some(length) = field("content-length") {
            self.exactly(length.parse().unwrap()).await
        } else if field("transfer-encoding").is_some() {
            self.chunks().await
        } else {
            String::new()
        };
        Answer {
            status,
            closes: field("connection").is_some_and(|value| value == "close"),
            body,
        }
    }

    /// Reads until a text, inclusive.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let seen = String::from_utf8_lossy(&self.unread).into_owned();
            if let Some(at) = seen.find(end) {
                let length = at + end.len();
                self.unread.drain(..length);
                return seen[..length].to_owned();
            }
            assert!(self.more().await.unwrap() > 0, "ended after {seen:?}");
        }
    }

    /// Waits for the end of the connection: `Ok` if it was closed with nothing left to read.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        match self.more().await? {
            0 => Ok(()),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Reads at most so many bytes and drops them.
    pub(crate) async fn sip(&mut self, most: usize) -> io::Result<usize> {
        let mut buffer = vec![0; most];
        self.stream.read(&mut buffer).await
    }

    async fn more(&mut self) -> io::Result<usize> {
        timeout(PATIENCE, self.stream.read_buf(&mut self.unread))
            .await
            .expect("it hangs")
    }

    async fn exactly(&mut self, length: usize) -> String {
        while self.unread.len() < length {
            assert!(self.more().await.unwrap() > 0, "the body is cut short");
        }
        String::from_utf8(self.unread.drain(..length).collect()).unwrap()
    }

    async fn chunks(&mut self) -> String {
        let mut body = String::new();
        loop {
            let size = self.until("\r\n").await;
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            let chunk = self.exactly(size + 2).await;
            body += &chunk[..size];
            if size == 0 {
                return body;
            }
        }
    }
}

/// Whether nobody listens on an address.
pub(crate) fn is_refused(address: SocketAddr) -> bool {
    StdStream::connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}
