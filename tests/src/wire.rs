//! HTTP/1.1 to the last byte: a client library would ask again in silence.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that asks once.
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

// === impl Connection ===

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`Failure::Refused`] if there is none to be had.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await;
        stream.map(Self::on).map_err(|_| Failure::Refused)
    }

    fn on(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
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
        let request = format!("GET {path} HTTP/1.1\r\nHost: balancer\r\n\r\n");
        let sent = self.stream.write_all(request.as_bytes()).await;
        sent.map_err(|_| Failure::Cut)?;
        let head = self.line_block().await?;
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).next()
        };
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let length = field("content-length").and_then(|value| value.parse().ok());
        let length = length.expect("an answer with its length");
        while self.unread.len() < length {
            self.more().await.ok_or(Failure::Truncated)?;
        }
        self.unread.drain(..length);
        Ok(WireAnswer {
            status: status.expect("an answer with its status"),
            closes: field("connection").is_some_and(|value| value == "close"),
            length,
        })
    }

    async fn line_block(&mut self) -> Result<String, Failure> {
        loop {
            let seen = self.unread.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(at) = seen {
                let head: Vec<u8> = self.unread.drain(..at + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            self.more().await.ok_or(Failure::Cut)?;
        }
    }

    async fn more(&mut self) -> Option<usize> {
        let read = self.stream.read_buf(&mut self.unread).await;
        read.ok().filter(|length| *length > 0)
    }
}
