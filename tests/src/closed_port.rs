//! A port on which nobody listens.

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 on which nobody listens, and that nobody else is given as long as this
/// lives. A program that is told to listen on it can.
pub struct ClosedPort {
    number: u16,
    _bound: TcpSocket,
}

// === impl ClosedPort ===

impl ClosedPort {
    /// Takes a free port. It is bound and not listened on, so that connecting is refused.
    ///
    /// # Panics
    /// If there is none.
    pub fn take() -> Self {
        let take = || {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(([127, 0, 0, 1], 0).into())?;
            Ok::<_, std::io::Error>((socket.local_addr()?.port(), socket))
        };
        let (number, bound) = take().expect("a free port");
        Self {
            number,
            _bound: bound,
        }
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// `http://127.0.0.1:<number>` with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.number)
    }
}
