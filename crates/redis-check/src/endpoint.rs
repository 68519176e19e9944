//! Where a pool leads to, and a second look at it.

use std::{fmt, io, sync::Arc, time::Duration};

use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{RedisOptions, fault::Fault};

/// A server that is asked in its own language answers at once; one that hangs must not use up
/// the rest of the check's time.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// The first bytes of a TLS server's answer to a greeting: a handshake or an alert.
const TLS_ANSWERS: [u8; 2] = [22, 21];
/// The first bytes of a Redis' answer to PING: `+PONG`, or a refusal such as `-NOAUTH`.
const PLAIN_ANSWERS: [u8; 2] = [b'+', b'-'];

/// Where a pool leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn of(options: &RedisOptions) -> Self {
        Self {
            host: options.host.clone(),
            port: options.port,
            tls: options.tls,
        }
    }

    /// What a failure to connect really is, where both sides disagree about TLS.
    ///
    /// A Redis that is greeted with TLS looks for the end of a line, which a zero byte hides from
    /// it, and waits for more. One that has TLS closes a connection that begins in plain text.
    pub(crate) async fn look_again(&self, fault: Fault) -> Option<Fault> {
        let (greeting, answers, fault) = if self.tls && fault == Fault::CONNECT_TIMEOUT {
            (b"PING\r\n".to_vec(), PLAIN_ANSWERS, Fault::TLS_NOT_SPOKEN)
        } else if !self.tls && fault == Fault::CONNECTION_CLOSED {
            (self.tls_greeting()?, TLS_ANSWERS, Fault::TLS_EXPECTED)
        } else {
            return None;
        };
        let answer = timeout(SECOND_LOOK, self.greet(&greeting)).await.ok()?;
        answers.contains(&answer.ok()?).then_some(fault)
    }

    /// The first byte of the answer.
    async fn greet(&self, greeting: &[u8]) -> io::Result<u8> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.write_all(greeting).await?;
        stream.read_u8().await
    }

    /// The first message of a handshake that is never finished.
    fn tls_greeting(&self) -> Option<Vec<u8>> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.clone()).ok()?;
        let mut session = ClientConnection::new(Arc::new(config), name).ok()?;
        let mut greeting = Vec::new();
        session.write_tls(&mut greeting).ok()?;
        Some(greeting)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_so_that_its_port_can_be_told() {
        for (host, text) in [("redis", "redis:6379"), ("::1", "[::1]:6379")] {
            let endpoint = Endpoint::of(&RedisOptions::new(host, 6379));
            assert_eq!(endpoint.to_string(), text);
        }
    }
}
