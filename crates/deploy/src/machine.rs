//! The machine that the engine runs on, where it matters that it may be another one than ours.

use std::{io, net::SocketAddr, path::PathBuf};

use async_trait::async_trait;
use tokio::net::{TcpListener, lookup_host};

/// What must be asked on the engine's machine.
#[async_trait]
pub trait Machine: Send + Sync {
    /// How an address there is reached: one of its own, or one of a container on it. None if it
    /// cannot be.
    async fn way_to(&self, address: SocketAddr) -> Option<Way>;

    /// Whether nobody there listens at that port.
    async fn port_is_free(&self, port: u16) -> bool;

    /// Whether that name leads to an address there.
    async fn resolves(&self, host: &str) -> bool;

    /// Why nothing there can be reached any more; none while it can.
    async fn trouble(&self) -> Option<String>;
}

/// How an address is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// By itself.
    Direct,
    /// Through a socket of ours that leads there.
    Socket(PathBuf),
}

/// The machine that we run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

// === impl ThisMachine ===

#[async_trait]
impl Machine for ThisMachine {
    async fn way_to(&self, _address: SocketAddr) -> Option<Way> {
        Some(Way::Direct)
    }

    async fn port_is_free(&self, port: u16) -> bool {
        // One that only root may open says nothing about who has it: the engine may open it.
        match TcpListener::bind(("0.0.0.0", port)).await {
            Err(error) => error.kind() != io::ErrorKind::AddrInUse,
            Ok(_) => true,
        }
    }

    async fn resolves(&self, host: &str) -> bool {
        let found = lookup_host((host, 443)).await;
        found.is_ok_and(|mut addresses| addresses.next().is_some())
    }

    async fn trouble(&self) -> Option<String> {
        None
    }
}
