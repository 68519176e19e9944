//! A server that is bound and does not serve yet.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
};
use hyper_util::{rt::TokioTimer, server::conn::auto};
use tokio::net::{TcpListener, TcpSocket};

use super::{
    DrainSignal, ServeError, ServerHandle,
    accept::{self, Host},
    core::{Core, Limits},
    manners,
    request::{BoxError, Introduce},
};

/// A server that is bound and does not serve yet: clients can connect, and wait.
///
/// HTTP/1 and HTTP/2 (with prior knowledge) are served on the same port. A WebSocket comes over
/// HTTP/1.
///
/// # What a service can rely on
/// - A handler that panics is answered for with an empty 500, on HTTP/1 and HTTP/2, and its
///   connection lives on. A body that panics while it is sent ends its own connection (HTTP/1) or
///   its own stream (HTTP/2). Either way no other connection notices.
/// - A request whose client goes away is dropped at its next await point, with everything in it.
/// - A handler that blocks its thread cannot be dropped. At the drain timeout it is counted as
///   aborted and left behind.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    signal: DrainSignal,
    introduce: Option<Introduce>,
}

/// Connections that may wait to be accepted. The runtime's default of 128 overflows when many
/// clients reconnect at once.
const BACKLOG: u32 = 1024;

/// Stands for a limit that lies beyond what the clock can say.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

// === impl Server ===

impl Server {
    /// Listens on an address; port 0 gives a free one. 1024 connections may wait to be accepted.
    ///
    /// # Errors
    /// If the address is taken, or not this host's.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let listen = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()?
            } else {
                TcpSocket::new_v6()?
            };
            // A restart finds connections of the run before it in TIME_WAIT.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?;
            Ok((listener.local_addr()?, listener))
        };
        match listen() {
            Ok((address, listener)) => Ok(Self::new(address, listener)),
            Err(source) => Err(ServeError::Bind { address, source }),
        }
    }

    /// Takes a listener from somebody else, as from a supervisor that hands it over.
    ///
    /// # Errors
    /// If it has no address.
    pub fn from_listener(listener: TcpListener) -> Result<Self, ServeError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        match listener.local_addr() {
            Ok(address) => Ok(Self::new(address, listener)),
            Err(source) => Err(ServeError::Bind {
                address: unknown,
                source,
            }),
        }
    }

    fn new(address: SocketAddr, listener: TcpListener) -> Self {
        Self {
            listener,
            address,
            limits: Limits::default(),
            signal: DrainSignal::default(),
            introduce: None,
        }
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What tells handlers that the server closes; for those that are made before it serves.
    pub fn drain_signal(&self) -> DrainSignal {
        self.signal.clone()
    }

    /// How long the head of a request may take: from the moment the connection is accepted, later
    /// from its first byte. Then the connection is closed. 10 s if not set.
    pub fn header_read_timeout(mut self, limit: Duration) -> Self {
        self.limits.manners.header_read = limit.min(NEVER);
        self
    }

    /// How long a connection is kept open without a request. 75 s if not set: longer than most
    /// load balancers keep theirs, so that they close first and no request meets a closed
    /// connection.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.manners.idle = limit.min(NEVER);
        self
    }

    /// How many connections are served at once, at least 1; no limit if not set. Those who come
    /// above that wait, and make room for themselves: the connection that has been idle for
    /// longest is closed, and as long as somebody waits, answers carry `Connection: close`.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.limits.connections = Some(most.max(1));
        self
    }

    /// How often an HTTP/2 client is asked whether it is still there, and how long it may take to
    /// say so. Every 30 s, and 20 s, if not set.
    pub fn http2_ping(mut self, interval: Duration, timeout: Duration) -> Self {
        self.limits.ping_interval = interval.min(NEVER);
        self.limits.ping_timeout = timeout.min(NEVER);
        self
    }

    /// Whether small answers are sent at once (`TCP_NODELAY`). They are if not set.
    pub fn nodelay(mut self, at_once: bool) -> Self {
        self.limits.nodelay = at_once;
        self
    }

    /// How long requests in flight may take to finish once the listener is closed. 15 s if not
    /// set.
    pub fn drain_timeout(mut self, limit: Duration) -> Self {
        self.limits.drain = limit.min(NEVER);
        self
    }

    /// Puts what `make` makes of the peer's address into the extensions of each request. For axum
    /// that is `ConnectInfo`:
    ///
    /// ```
    /// # use tria_lifecycle::serve::Server;
    /// # fn with(server: Server) -> Server {
    /// server.peer_as(axum::extract::ConnectInfo)
    /// # }
    /// ```
    pub fn peer_as<T>(mut self, make: impl Fn(SocketAddr) -> T + Send + Sync + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.introduce = Some(Arc::new(move |peer, extensions| {
            extensions.insert(make(peer));
        }));
        self
    }

    /// Begins to serve. It goes on until the handle drains it, also if the handle is dropped.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn serve<S, B>(self, service: S) -> ServerHandle
    where
        S: tower::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let core = Arc::new(Core::new(self.address, self.limits, self.signal));
        let mut builder = auto::Builder::new(core.spawner());
        // Their limits are in `manners`.
        builder.http1().header_read_timeout(None);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.limits.ping_interval)
            .keep_alive_timeout(self.limits.ping_timeout);
        let host = Host {
            core: Arc::clone(&core),
            builder,
            service,
            introduce: self.introduce,
            newcomer: None,
        };
        tokio::spawn(accept::run(self.listener, host));
        ServerHandle::new(core)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            manners: manners::Limits {
                header_read: Duration::from_secs(10),
                idle: Duration::from_secs(75),
            },
            connections: None,
            drain: Duration::from_secs(15),
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
            nodelay: true,
        }
    }
}
