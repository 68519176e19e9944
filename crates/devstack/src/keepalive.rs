//! What the kernel does for TCP connections at rest.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{Error, Result};

/// The timer of a connection at rest (<https://docs.kernel.org/networking/proc_net_tcp.html>).
const KEEPALIVE: &str = "02";

/// When the kernel looks whether the other side of a TCP connection at rest is still there, by
/// the ports of both sides, ours first; `None` where it does not. One port may have several
/// connections, to different servers. Read from `/proc/net/tcp`, whose timers count hundredths of a
/// second.
///
/// # Errors
/// If the kernel does not tell, or knows no such connection.
pub async fn keepalive_in(ports: [u16; 2]) -> Result<Option<Duration>> {
    // While something is on its way there is another timer.
    for _ in 0..1000 {
        let (kind, left) = timer_of(ports)?;
        if kind == KEEPALIVE {
            return Ok(Some(left));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}

fn timer_of(ports: [u16; 2]) -> Result<(String, Duration)> {
    let table = fs::read_to_string("/proc/net/tcp").map_err(Error::io("read /proc/net/tcp"))?;
    let [ours, theirs] = ports.map(|port| format!(":{port:04X}"));
    let found = table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (kind, left) = columns.get(5)?.split_once(':')?;
        let left = u64::from_str_radix(left, 16).ok()?;
        let is_ours = columns[1].ends_with(&ours) && columns[2].ends_with(&theirs);
        is_ours.then(|| (kind.to_owned(), Duration::from_millis(left * 10)))
    });
    found.ok_or_else(|| Error::io("find the connection")(std::io::ErrorKind::NotFound.into()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;

    async fn connect(from: SocketAddr, to: &TcpListener, keepalive: bool) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.set_keepalive(keepalive).unwrap();
        socket.bind(from).unwrap();
        socket.connect(to.local_addr().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_connection_that_is_meant_is_found_among_those_of_its_port() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let meant = TcpListener::bind(any).await.unwrap();
        let watched = connect(any, &meant, true).await;
        let ours = watched.local_addr().unwrap();
        let mut others = Vec::new();
        for _ in 0..5 {
            let other = TcpListener::bind(any).await.unwrap();
            others.push((connect(ours, &other, false).await, other));
        }
        let ports = [ours.port(), meant.local_addr().unwrap().port()];
        assert!(keepalive_in(ports).await.unwrap().is_some());
    }
}
