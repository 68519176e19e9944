//! Another machine, over a real ssh server on loopback.
//!
//! They need OpenSSH's server, so that they run only when asked for: by
//! `cargo xtask test --deploy`, or by `cargo test -p tria-deploy --test remote -- --ignored`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod connecting;
mod losing;
mod machine;
mod sshd;
mod stores;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    task::JoinHandle,
};
use tria_deploy::remote::{Remote, RemoteError};

use sshd::Sshd;

/// Something that answers at a socket as an engine would.
pub(crate) struct FakeEngine {
    folder: TempDir,
    task: JoinHandle<()>,
}

// === impl FakeEngine ===

impl FakeEngine {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 1024];
                    let _ = stream.read(&mut request).await;
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
                    let _ = stream.write_all(answer).await;
                });
            }
        });
        Self { folder, task }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn connect(sshd: &Sshd, engine: &FakeEngine) -> Result<Remote, RemoteError> {
    Remote::connect(&sshd.url(), &sshd.options(&engine.socket())).await
}
