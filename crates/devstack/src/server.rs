//! What all servers have in common: a port, a log, readiness by protocol, stop, restart, pause.

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Error, Result, port,
    process::{ServerProcess, tail},
};

/// A busy machine takes its time; a server that fails ends itself much sooner.
const READY_WITHIN: Duration = Duration::from_secs(90);
const ONE_PROBE: Duration = Duration::from_secs(5);
const CLASHES: usize = 4;

/// A server under our control. It is killed when this is dropped, and when our process dies.
pub struct Server {
    recipe: Recipe,
    port: u16,
    process: Option<ServerProcess>,
}

/// How one kind of server is run and recognised as ready.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) log: PathBuf,
    pub(crate) command: Box<dyn Fn(u16) -> Result<Start> + Send + Sync>,
    pub(crate) probe: Box<dyn Fn(u16) -> ProbeFuture + Send + Sync>,
    pub(crate) stop: Signal,
    pub(crate) grace: Duration,
    pub(crate) quick_stop: Signal,
}

/// What to run, and what to write on its standard input.
pub(crate) type Start = (Command, Option<String>);

/// A probe under way: ready, or why not yet.
pub(crate) type ProbeFuture = Pin<Box<dyn Future<Output = std::result::Result<(), String>> + Send>>;

impl Server {
    /// Starts on `port`, or on a free one, and waits until it is ready.
    pub(crate) async fn start(recipe: Recipe, port: Option<u16>) -> Result<Self> {
        let mut server = Self {
            recipe,
            port: port.unwrap_or_default(),
            process: None,
        };
        let mut clashes = 0;
        loop {
            if port.is_none() {
                server.port = port::free_port()?;
            }
            match server.run().await {
                Err(Error::Start { tail, .. })
                    if port.is_none() && clashes < CLASHES && is_clash(&tail) =>
                {
                    clashes += 1;
                }
                result => return result.map(|()| server),
            }
        }
    }

    /// The port on 127.0.0.1; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.recipe.log
    }

    /// Stops it the way its operators would, and waits until it is gone.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(self.recipe.stop, self.recipe.grace).await;
        }
    }

    /// Starts it again on the same port with the same data, stopping it first if it runs.
    ///
    /// # Errors
    /// When it does not become ready, or the port was taken meanwhile.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await;
        self.run().await
    }

    /// Freezes it: connections stay open and nothing answers, as on a host that hangs.
    pub fn pause(&self) {
        if let Some(process) = &self.process {
            process.pause();
        }
    }

    /// Lets it go on after [`Self::pause`].
    pub fn resume(&self) {
        if let Some(process) = &self.process {
            process.resume();
        }
    }

    async fn run(&mut self) -> Result<()> {
        let (command, input) = (self.recipe.command)(self.port)?;
        let process =
            ServerProcess::spawn(command, &self.recipe.log, input, self.recipe.quick_stop).await?;
        let process = self.process.insert(process);
        let end = Instant::now() + READY_WITHIN;
        let mut pause = Duration::from_millis(5);
        let cause = loop {
            if let Some(status) = process.exited() {
                break format!("it ended with {status}");
            }
            match tokio::time::timeout(ONE_PROBE, (self.recipe.probe)(self.port)).await {
                Ok(Ok(())) if process.listens_on(self.port) => return Ok(()),
                Ok(Err(reason)) if Instant::now() >= end => break reason,
                Err(_) if Instant::now() >= end => break "no answer".into(),
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        };
        self.process = None;
        Err(Error::Start {
            server: self.recipe.name,
            cause,
            tail: tail(&self.recipe.log),
        })
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Server")
            .field("name", &self.recipe.name)
            .field("port", &self.port)
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

fn is_clash(tail: &str) -> bool {
    let tail = tail.to_ascii_lowercase();
    tail.contains("in use") || tail.contains("eaddrinuse")
}
