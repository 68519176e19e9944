//! The engine of another machine, over one connection of ssh.
//!
//! [`Remote::connect`] starts the system's own `ssh` as the master of a connection: keys, known
//! hosts, agents and jump hosts are those of the user. Everything after goes through that one
//! connection. The engine's socket, and each address there that is asked over HTTP, becomes a
//! socket in a folder that only we can enter; what has to be done on the machine itself is a small
//! script for its `sh`.
//!
//! The connection is never made anew by itself: when it ends, whatever is under way fails, and the
//! next command goes on from the journal.

mod clock;
mod engine;
mod error;
mod greeting;
mod machine;
mod ssh;
mod store;
mod url;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::Mutex,
    time::timeout,
};

pub use self::{
    clock::ServerClock,
    engine::RemoteEngine,
    error::{RemoteError, Said},
    store::SshStore,
    url::HostUrl,
};
pub(crate) use self::{engine::remedy_of as remedy_of_engine, store::remedy_of as remedy_of_store};
use self::{
    greeting::{Greeting, SocketThere},
    ssh::Master,
};

/// A machine that is reached by ssh. Copies share the connection, which ends with the last one.
#[derive(Clone, Debug)]
pub struct Remote {
    inner: Arc<Inner>,
}

/// How a machine is reached.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// The engine's socket there.
    pub socket: String,
    /// How long it may take until the engine answers.
    pub patience: Duration,
    /// How often a silent connection is tried; after three tries without an answer it is over.
    pub keep_alive: Duration,
    /// A configuration of ssh instead of the user's own.
    pub config: Option<PathBuf>,
}

#[derive(Debug)]
struct Inner {
    master: Master,
    greeting: Greeting,
    clock: ServerClock,
    engine: PathBuf,
    /// The sockets here that lead to addresses there.
    ways: Mutex<HashMap<SocketAddr, PathBuf>>,
}

// === impl Remote ===

impl Remote {
    /// Connects to a machine, and sees that an engine answers there.
    ///
    /// # Errors
    /// What is wrong, see [`RemoteError`]; [`RemoteError::remedy`] says what to do.
    pub async fn connect(host: &HostUrl, options: &RemoteOptions) -> Result<Self, RemoteError> {
        // A colon would end the path where a way is asked for.
        if !options.socket.starts_with('/') || options.socket.contains(':') {
            return Err(RemoteError::SocketPath);
        }
        let connected = timeout(options.patience, Self::connected(host, options)).await;
        connected.unwrap_or(Err(RemoteError::Deadline))
    }

    async fn connected(host: &HostUrl, options: &RemoteOptions) -> Result<Self, RemoteError> {
        let greet = ssh::command_line(greeting::SCRIPT, &[&options.socket]);
        let (master, lines) = Master::start(host, options, &greet)?;
        let Some(greeting) = Greeting::read(lines).await else {
            return Err(master.refusal().await);
        };
        let clock = ServerClock::started_at(greeting.time);
        match greeting.socket {
            SocketThere::Usable => {}
            SocketThere::Missing => return Err(RemoteError::NoEngine),
            SocketThere::Forbidden => return Err(RemoteError::EngineForbidden),
        }
        let engine = master.forward(&options.socket).await?;
        if !answers(&engine).await {
            return Err(master.loss().await.unwrap_or(RemoteError::EngineClosed));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                master,
                greeting,
                clock,
                engine,
                ways: Mutex::default(),
            }),
        })
    }

    /// A socket here that leads to the engine there.
    pub fn engine_socket(&self) -> &Path {
        &self.inner.engine
    }

    /// The clock of the machine.
    pub fn clock(&self) -> ServerClock {
        self.inner.clock
    }

    /// The folder there in which a project's state is kept unless another one is asked for:
    /// `tria/<project>` in the user's folder for such things.
    pub fn state_folder(&self, project: &str) -> String {
        let Greeting { home, state, .. } = &self.inner.greeting;
        // One that is not absolute means nothing, as its specification says.
        if state.starts_with('/') {
            return format!("{state}/tria/{project}");
        }
        format!("{home}/.local/state/tria/{project}")
    }

    /// Documents in a folder there; made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or something that is needed is missing there.
    pub async fn store(&self, folder: &str) -> Result<SshStore, RemoteError> {
        if !self.inner.greeting.has_flock {
            return Err(RemoteError::NoFlock);
        }
        // A folder of the user's, if it is not a whole path.
        let folder = if folder.starts_with('/') {
            folder.to_owned()
        } else {
            format!("{}/{folder}", self.inner.greeting.home)
        };
        SshStore::open(self.clone(), folder).await
    }

    /// What is free on the disk with that folder, in bytes, if that can be seen.
    pub async fn free_bytes(&self, folder: &str) -> Option<u64> {
        machine::free_bytes(self, folder).await
    }

    /// Why the connection is over; none while it stands.
    pub async fn loss(&self) -> Option<RemoteError> {
        self.inner.master.loss().await
    }

    /// The number of the `ssh` that holds the connection, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.inner.master.process()
    }

    async fn run(
        &self,
        script: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<ssh::Answer, RemoteError> {
        self.inner.master.run(script, arguments, input).await
    }

    /// The socket here that leads to an address there.
    async fn way(&self, address: SocketAddr) -> Result<PathBuf, RemoteError> {
        // Held meanwhile: two that want the same one get the same one.
        let mut ways = self.inner.ways.lock().await;
        if let Some(known) = ways.get(&address) {
            return Ok(known.clone());
        }
        let way = self.inner.master.forward(&address.to_string()).await?;
        ways.insert(address, way.clone());
        Ok(way)
    }
}

// === impl RemoteOptions ===

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            socket: "/var/run/docker.sock".into(),
            patience: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            config: None,
        }
    }
}

/// Whether an engine is behind that socket.
async fn answers(socket: &Path) -> bool {
    let ask = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream
            .write_all(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(64).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    ask.await
        .is_ok_and(|answer| String::from_utf8_lossy(&answer).contains(" 200 "))
}
