//! As much of a Redis client as it takes to break a server.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tria_devstack::Redis;

/// A connection to a Redis that a test owns.
pub struct RedisAdmin(BufReader<TcpStream>);

// === impl RedisAdmin ===

impl RedisAdmin {
    /// Connects, and logs in.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn of(redis: &Redis, password: &str) -> Self {
        let stream = TcpStream::connect(redis.address()).await;
        let mut admin = Self(BufReader::new(stream.expect("a connection")));
        admin.tell(&format!("AUTH {password}")).await;
        admin
    }

    /// Sends a command that is to be answered with OK.
    ///
    /// # Panics
    /// If it is not.
    pub async fn tell(&mut self, command: &str) {
        let answer = self.ask(command).await;
        assert_eq!(answer, "+OK", "{command}");
    }

    /// Sends a command, and gives its answer: a line, or a text.
    ///
    /// # Panics
    /// If there is none.
    pub async fn ask(&mut self, command: &str) -> String {
        let request = format!("{command}\r\n");
        let sent = self.0.write_all(request.as_bytes()).await;
        sent.expect("it is sent");
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await;
        read.expect("it is answered");
        let line = line.trim_end();
        let Some(length) = line.strip_prefix('$') else {
            return line.to_owned();
        };
        // The text, and the end of its line.
        let length: usize = length.parse().expect("a length");
        let mut text = vec![0; length + 2];
        let read = self.0.read_exact(&mut text).await;
        read.expect("the whole text");
        String::from_utf8_lossy(&text).into_owned()
    }
}
