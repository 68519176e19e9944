//! HTTP/1.1 to the last byte: a client library would ask again in silence.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that asks, and never twice for the same.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// A complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireAnswer {
    /// Its status.
    pub status: u16,
    /// Whether the server closes the connection after it.
    pub closes: bool,
    /// The length of its body in bytes.
    pub length: usize,
}

/// Why there is no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection.
    Refused,
    /// The connection ended before the head of the answer was complete.
    Cut,
    /// The connection ended before the body was.
    Truncated,
}

/// Holds most answers.
const ROOM: usize = 16 * 1024;

// === impl Connection ===

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`Failure::Refused`] if there is none to be had.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|_| Failure::Refused)?;
        // It fails only where the server has gone already.
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream,
            unread: Vec::with_capacity(ROOM),
        })
    }

    /// Whether the server has not closed it, as far as can be known.
    pub fn is_open(&self) -> bool {
        let seen = self.stream.try_read(&mut [0]);
        seen.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Asks, and reads the answer to its end.
    ///
    /// # Errors
    /// If there is no complete answer.
    ///
    /// # Panics
    /// If the answer is not HTTP.
    pub async fn get(&mut self, path: &str) -> Result<WireAnswer, Failure> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: balancer\r\nAccept: */*\r\n\r\n");
        let sent = self.stream.write_all(request.as_bytes()).await;
        sent.map_err(|_| Failure::Cut)?;
        let end = loop {
            match self.unread.windows(4).position(|end| end == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more().await.ok_or(Failure::Cut)?,
            };
        };
        let answer = WireAnswer::of(&String::from_utf8_lossy(&self.unread[..end]));
        let whole = end + 4 + answer.length;
        while self.unread.len() < whole {
            self.more().await.ok_or(Failure::Truncated)?;
        }
        self.unread.drain(..whole);
        Ok(answer)
    }

    async fn more(&mut self) -> Option<usize> {
        let read = self.stream.read_buf(&mut self.unread).await;
        read.ok().filter(|length| *length > 0)
    }
}

// === impl WireAnswer ===

impl WireAnswer {
    /// What the head of an answer tells.
    fn of(head: &str) -> Self {
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value)
        };
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let length = field("content-length").and_then(|value| value.parse().ok());
        Self {
            status: status.expect("an answer with its status"),
            closes: field("connection") == Some("close"),
            length: length.expect("an answer with its length"),
        }
    }
}
