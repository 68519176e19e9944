//! A TCP proxy that misbehaves on command.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{Result, port};

/// Bytes that start no message of any protocol we speak.
const NOISE: &[u8] =
    b"\x00\xff\xfe\x01 this is not the protocol you are looking for \x80\x81\r\n\r\n";

/// How the proxy treats connections, those that are open already included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Hands everything on.
    #[default]
    Pass,
    /// Closes the port and every connection, as when a server is stopped.
    Refuse,
    /// Accepts and never answers, as when a firewall drops packets behind the handshake.
    BlackHole,
    /// Hands replies on this much later.
    Delay(Duration),
    /// Resets the connection in the middle of the next reply.
    ResetMidReply,
    /// Answers the next request with bytes that are no protocol's, then closes.
    Garbage,
}

/// A port that stands for another one. It closes when this is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    mode: watch::Sender<Mode>,
    forgotten: watch::Sender<()>,
    listening: watch::Receiver<bool>,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Listens on a free port of 127.0.0.1 for `upstream`, as in `127.0.0.1:5432`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(upstream: impl Into<String>) -> Result<Self> {
        let (port, listener) = listen_anywhere().await?;
        let (mode, modes) = watch::channel(Mode::Pass);
        let (forgotten, forgets) = watch::channel(());
        let (listens, listening) = watch::channel(true);
        let accepted = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let door = Door {
            port,
            upstream: upstream.into().into(),
            modes,
            forgets,
            listens,
            accepted: Arc::clone(&accepted),
            open: Arc::clone(&open),
        };
        let task = tokio::spawn(door.run(listener));
        Ok(Self {
            port,
            mode,
            forgotten,
            listening,
            accepted,
            open,
            task,
        })
    }

    /// Switches the behaviour, and returns when it is in force for new connections.
    pub async fn set(&mut self, mode: Mode) {
        self.mode.send_replace(mode);
        let wanted = mode != Mode::Refuse;
        // It fails only when the proxy's task is gone, and then nothing listens anyhow.
        let _ = self
            .listening
            .wait_for(|listening| *listening == wanted)
            .await;
    }

    /// Silences the connections that are open, for good, in whatever mode; new ones are as good as
    /// ever. So a firewall behaves that has lost its memory, or a host that went away without a
    /// word and whose address another one took.
    pub fn forget(&self) {
        self.forgotten.send_replace(());
    }

    /// The behaviour now.
    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// The port on 127.0.0.1; it stays the same in every mode.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections were ever accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The accepting side.
struct Door {
    port: u16,
    upstream: Arc<str>,
    modes: watch::Receiver<Mode>,
    forgets: watch::Receiver<()>,
    listens: watch::Sender<bool>,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Door {
    async fn run(mut self, listener: TcpListener) {
        let mut listener = Some(listener);
        // Dropping it, as on abort, closes every connection.
        let mut connections = JoinSet::new();
        loop {
            if *self.modes.borrow_and_update() == Mode::Refuse {
                listener = None;
                connections.shutdown().await;
            } else if listener.is_none() {
                listener = listen(self.port).await.ok();
            }
            self.listens.send_replace(listener.is_some());
            let arrival = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.modes.changed() => if changed.is_err() { return },
                Ok((client, _)) = arrival => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    let mut forgets = self.forgets.clone();
                    forgets.mark_unchanged();
                    let count = Count::new(&self.open);
                    let (upstream, modes) = (Arc::clone(&self.upstream), self.modes.clone());
                    connections.spawn(serve(client, upstream, modes, forgets, count));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Counts a connection for as long as it lives.
struct Count(Arc<AtomicUsize>);

impl Count {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One connection, until either side ends it or a fault does.
async fn serve(
    mut client: TcpStream,
    upstream: Arc<str>,
    modes: watch::Receiver<Mode>,
    mut forgets: watch::Receiver<()>,
    _count: Count,
) {
    tokio::select! {
        () = hand_on(&mut client, upstream, modes) => {}
        Ok(()) = forgets.changed() => {
            let mut unheard = [0; 1024];
            while matches!(client.read(&mut unheard).await, Ok(1..)) {}
        }
    }
}

async fn hand_on(client: &mut TcpStream, upstream: Arc<str>, mut modes: watch::Receiver<Mode>) {
    if pass_the_hole(&mut modes).await.is_err() {
        return;
    }
    // A server that is not there is for the client the same as one that hangs up.
    let Ok(mut server) = TcpStream::connect(&*upstream).await else {
        return;
    };
    let (mut request, mut reply) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                match pass_the_hole(&mut modes).await {
                    Ok(Mode::Garbage) => {
                        let _ = client.write_all(NOISE).await;
                        let _ = client.shutdown().await;
                        return;
                    }
                    Ok(_) if server.write_all(&request[..length]).await.is_ok() => {}
                    _ => return,
                }
            }
            read = server.read(&mut reply) => {
                let Ok(length @ 1..) = read else { return };
                match pass_the_hole(&mut modes).await {
                    Ok(Mode::ResetMidReply) => {
                        let _ = client.write_all(&reply[..length / 2]).await;
                        // No lingering: the kernel sends a reset instead of a goodbye.
                        let _ = client.set_zero_linger();
                        return;
                    }
                    Ok(Mode::Delay(delay)) => tokio::time::sleep(delay).await,
                    Ok(_) => {}
                    Err(_) => return,
                }
                if client.write_all(&reply[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits as long as the black hole lasts, and gives the mode after it.
async fn pass_the_hole(
    modes: &mut watch::Receiver<Mode>,
) -> std::result::Result<Mode, watch::error::RecvError> {
    modes
        .wait_for(|mode| *mode != Mode::BlackHole)
        .await
        .map(|mode| *mode)
}

async fn listen_anywhere() -> Result<(u16, TcpListener)> {
    loop {
        let port = port::free_port()?;
        if let Ok(listener) = listen(port).await {
            return Ok((port, listener));
        }
    }
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

#[cfg(test)]
mod tests;
