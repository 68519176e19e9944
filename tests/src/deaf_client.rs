//! A client that never takes its answer.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    http::{Request, Response},
};
use h2::{RecvStream, SendStream, client};
use tokio::{net::TcpStream, task::JoinHandle};

/// A client of HTTP/2 that grants no room for the answer it asked for: the request stays in flight
/// until somebody loses patience.
pub struct DeafClient {
    _requests: client::SendRequest<Bytes>,
    _request: SendStream<Bytes>,
    _answer: Response<RecvStream>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

// === impl DeafClient ===

impl DeafClient {
    /// Asks for `/health`. The head of the answer is here, its body cannot come.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn ask(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.expect("a connection");
        let mut builder = client::Builder::new();
        builder.initial_window_size(0);
        let handshake = builder.handshake(tcp).await;
        let (mut requests, connection) = handshake.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let request = Request::get("http://balancer/health").body(());
        let sent = requests.send_request(request.expect("a request"), true);
        let (answer, request) = sent.expect("it is sent");
        let answer = answer.await.expect("the head of an answer");
        Self {
            _requests: requests,
            _request: request,
            _answer: answer,
            connection,
        }
    }
}

impl Drop for DeafClient {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
