//! Somebody who says messages to the chat, one after the other.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A client of `POST /api/chatbot` over one connection that it keeps.
pub struct Talker {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
    /// From the first byte of the request to the last one of the answer.
    pub took: Duration,
}

// === impl Talker ===

impl Talker {
    /// Opens the connection.
    ///
    /// # Errors
    /// If there is none to be had.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a body with a key, and reads the answer to its end.
    ///
    /// # Errors
    /// If there is no complete answer; the connection is of no more use then.
    pub async fn say(&mut self, key: &str, body: &str) -> io::Result<Said> {
        let request = format!(
            "POST /api/chatbot HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes()).await?;
        let end = loop {
            let seen = self.unread.windows(4).position(|end| end == b"\r\n\r\n");
            match seen {
                Some(at) => break at + 4,
                None => self.more().await?,
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let (Some(status), Some(length)) = (status, content_length(&head)) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        while self.unread.len() < end + length {
            self.more().await?;
        }
        let took = begun.elapsed();
        let body = self.unread[end..end + length].to_vec();
        self.unread.drain(..end + length);
        Ok(Said { status, body, took })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn content_length(head: &str) -> Option<usize> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.parse().ok()
}
