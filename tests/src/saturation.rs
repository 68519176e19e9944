//! Saturation on a server of our own, bounded in connections and time.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{Connection, Failure};

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
        let path: Arc<str> = path.into();
        let begun = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            let (path, share) = (Arc::clone(&path), limit.share(connections));
            clients.spawn(async move {
                let mut load = Self::default();
                if load.ask(address, &path, share).await.is_err() {
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

    async fn ask(&mut self, address: SocketAddr, path: &str, limit: Limit) -> Result<(), Failure> {
        let mut connection = Connection::open(address).await?;
        let begun = Instant::now();
        while !limit.is_over(self.latencies.len(), begun) {
            let asked = Instant::now();
            if connection.get(path).await?.status != 200 {
                self.failures += 1;
            }
            self.latencies.push(asked.elapsed());
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn every_request_counts_and_every_answer_but_200_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let router = Router::new()
            .route("/fine", get(async || "x".repeat(100_000)))
            .route("/broken", get(async || StatusCode::SERVICE_UNAVAILABLE));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });

        let fine = Saturation::run(address, "/fine", 3, Limit::Requests(10)).await;
        assert_eq!((fine.latencies.len(), fine.failures), (12, 0));
        assert!(fine.latencies.is_sorted() && fine.rate() > 0.0);
        assert_eq!(fine.percentile(1.0), fine.latencies[11]);
        let broken = Saturation::run(address, "/broken", 1, Limit::Requests(4)).await;
        assert_eq!((broken.latencies.len(), broken.failures), (4, 4));

        server.abort();
        assert!(server.await.expect_err("it has no end").is_cancelled());
        let nobody = Saturation::run(address, "/fine", 2, Limit::Requests(2)).await;
        assert_eq!((nobody.latencies.len(), nobody.failures), (0, 2));
    }
}
