//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::{Error, Result};

/// Below the range that systems take for outgoing connections, so that a stopped server
/// finds its port free when it comes back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port on loopback that nobody listens on now; whoever gets it must still expect a clash.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = fastrand::u16(RANGE);
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::Io {
        action: format!("find a free port between {} and {}", RANGE.start, RANGE.end),
        source: std::io::ErrorKind::AddrInUse.into(),
    })
}

/// `wanted` if it is free, else one that is.
///
/// # Errors
/// When no port is free.
pub fn port_or_free(wanted: u16) -> Result<u16> {
    if is_free(wanted) {
        Ok(wanted)
    } else {
        free_port()
    }
}

/// Whether a server could listen on `port` of loopback now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
