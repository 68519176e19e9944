//! Accepting connections, whatever happens, until the server closes.

use std::{
    convert::Infallible, io, net::SocketAddr, sync::Arc, sync::atomic::Ordering, time::Duration,
};

use hyper_util::server::conn::auto;
use tokio::{
    net::{TcpListener, TcpStream},
    task,
    time::{self, Instant},
};

use super::{
    connection,
    core::{Core, Spawner},
    drain::Drain,
    manners::MOMENT,
    request::{Door, Introduce, Service},
};

/// Gives each connection what it needs to be served.
pub(super) struct Host<S> {
    pub(super) core: Arc<Core>,
    pub(super) builder: auto::Builder<Spawner>,
    pub(super) service: S,
    pub(super) introduce: Option<Introduce>,
    /// A connection that was accepted when there was no room. It must not be lost.
    pub(super) newcomer: Option<(TcpStream, SocketAddr)>,
}

/// How long accepting pauses after an error of the whole process, such as no file descriptors
/// left; doubled each time up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often idle connections are looked for while there is no room.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Serves until a drain is asked for, and drains.
pub(super) async fn run<S: Service>(listener: TcpListener, mut host: Host<S>) {
    let core = Arc::clone(&host.core);
    let mut asked = core.asked.subscribe();
    let deadline = tokio::select! {
        biased;
        // The sender is in `core`.
        Ok(deadline) = asked.wait_for(Option::is_some) => deadline.unwrap_or_else(Instant::now),
        never = host.accept_all(&listener) => match never {},
    };
    let drain = Drain::begin(&core, deadline);
    host.accept_waiting(listener).await;
    let report = drain.finish(&core).await;
    core.report.send_replace(Some(report));
}

// === impl Host ===

// Exclusive references only: a service need not be `Sync`.
impl<S: Service> Host<S> {
    async fn accept_all(&mut self, listener: &TcpListener) -> Infallible {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match listener.accept().await {
                Ok(newcomer) => {
                    pause = SHORTEST_PAUSE;
                    self.newcomer = Some(newcomer);
                    self.room().await;
                    self.welcome_newcomer();
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept");
                    self.core.connections.make_room();
                    time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Waits until there is room for the newcomer. Meanwhile others wait in the kernel's queue,
    /// the idlest connection makes room, and the rest do so with their next answer.
    async fn room(&mut self) {
        let Some(most) = self.core.limits.connections else {
            return;
        };
        let mut count = self.core.connections.count();
        if *count.borrow_and_update() < most {
            return;
        }
        tracing::debug!(connections = most, "no room for another connection");
        self.core.is_full.store(true, Ordering::Relaxed);
        loop {
            self.core.connections.make_room();
            let room = count.wait_for(|count| *count < most);
            if time::timeout(LOOK_AGAIN, room).await.is_ok() {
                break;
            }
        }
        self.core.is_full.store(false, Ordering::Relaxed);
    }

    /// Accepts what the kernel has accepted already, then closes the listener. Their clients see
    /// open connections: dropped with the listener, they would be reset. Whoever comes in the
    /// microseconds between the last look and the close is reset all the same; the pre-drain is
    /// there so that nobody comes.
    async fn accept_waiting(&mut self, listener: TcpListener) {
        self.welcome_newcomer();
        // The runtime learns of connections by events and may lag behind; the kernel does not.
        let listener = match listener.into_std() {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%error, "cannot accept what waits in the queue");
                return;
            }
        };
        // Under a storm of connections the queue may never be empty.
        let give_up = Instant::now() + MOMENT;
        while Instant::now() < give_up {
            task::consume_budget().await;
            let error = match listener.accept() {
                Ok((tcp, peer)) => match adopt(tcp) {
                    Ok(tcp) => {
                        self.welcome(tcp, peer);
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => error,
            };
            tracing::warn!(%error, "cannot accept what waits in the queue");
            // Idle connections close now, and leave their descriptors.
            self.core.connections.wake_all();
            time::sleep(SHORTEST_PAUSE).await;
        }
    }

    fn welcome_newcomer(&mut self) {
        if let Some((tcp, peer)) = self.newcomer.take() {
            self.welcome(tcp, peer);
        }
    }

    fn welcome(&mut self, tcp: TcpStream, peer: SocketAddr) {
        if self.core.limits.nodelay {
            // It fails only where the client has gone already.
            let _ = tcp.set_nodelay(true);
        }
        let connection = self.core.connections.add(peer, tcp);
        let door = Door::new(
            Arc::clone(&self.core),
            Arc::clone(&connection),
            self.service.clone(),
            self.introduce.clone(),
        );
        let core = Arc::clone(&self.core);
        tokio::spawn(connection::drive(
            core,
            connection,
            self.builder.clone(),
            door,
        ));
    }
}

fn adopt(tcp: std::net::TcpStream) -> io::Result<TcpStream> {
    tcp.set_nonblocking(true)?;
    TcpStream::from_std(tcp)
}

/// Whether the error is of the connection that would have been accepted, and says nothing of the
/// next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
