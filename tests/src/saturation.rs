//! Saturation on a server of our own, bounded in connections and time.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// What came of a load.
#[derive(Debug, Default)]
pub struct Saturation {
    /// How long each request took, sorted.
    pub latencies: Vec<Duration>,
    /// Requests that were not answered with 200, cut or refused ones included.
    pub failures: usize,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

/// Until when a load goes on.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// For so long.
    Time(Duration),
    /// For so many requests altogether.
    Requests(usize),
}

// === impl Saturation ===

impl Saturation {
    /// Asks for `path` over so many connections that are kept, each one request after the other.
    pub async fn run(address: SocketAddr, path: &str, connections: usize, limit: Limit) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
        let begun = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            let (request, share) = (request.clone(), limit.share(connections));
            clients.spawn(async move {
                let mut load = Self::default();
                if load.ask(address, request.as_bytes(), share).await.is_err() {
                    load.failures += 1;
                }
                load
            });
        }
        let mut whole = Self::default();
        while let Some(Ok(part)) = clients.join_next().await {
            whole.latencies.extend(part.latencies);
            whole.failures += part.failures;
        }
        whole.elapsed = begun.elapsed();
        whole.latencies.sort_unstable();
        whole
    }

    /// Answers a second.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// What `share` (0 to 1) of the requests took at most; zero where there is none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank among the requests"
    )]
    pub fn percentile(&self, share: f64) -> Duration {
        let rank = (share * self.latencies.len() as f64).ceil() as usize;
        let latency = self.latencies.get(rank.saturating_sub(1));
        latency.copied().unwrap_or_default()
    }

    async fn ask(&mut self, address: SocketAddr, request: &[u8], limit: Limit) -> io::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(16 * 1024);
        let begun = Instant::now();
        while !limit.is_over(self.latencies.len(), begun) {
            let asked = Instant::now();
            stream.write_all(request).await?;
            if !is_ok(read_answer(&mut stream, &mut buffer).await?) {
                self.failures += 1;
            }
            self.latencies.push(asked.elapsed());
        }
        Ok(())
    }
}

/// Reads one answer, and gives its head and body.
async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let whole = end + 4 + content_length(&buffer[..end]);
        while buffer.len() < whole {
            if stream.read_buf(buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        return Ok(buffer);
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let lowered = head.to_ascii_lowercase();
    let Some(at) = lowered
        .windows(NAME.len())
        .position(|window| window == NAME)
    else {
        return 0;
    };
    let digits = lowered[at + NAME.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

fn is_ok(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200 ")
}

// === impl Limit ===

impl Limit {
    /// What one of several connections has of it.
    fn share(self, connections: usize) -> Self {
        match self {
            Self::Time(time) => Self::Time(time),
            Self::Requests(requests) => Self::Requests(requests.div_ceil(connections.max(1))),
        }
    }

    fn is_over(self, done: usize, begun: Instant) -> bool {
        match self {
            Self::Time(time) => begun.elapsed() >= time,
            Self::Requests(requests) => done >= requests,
        }
    }
}
