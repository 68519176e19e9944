//! What the kernel does for TCP connections at rest.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{Error, Result};

/// The timer of a connection at rest (<https://docs.kernel.org/networking/proc_net_tcp.html>).
const KEEPALIVE: &str = "02";

/// When the kernel looks whether the other side of a TCP connection at rest is still there, by
/// the local port; `None` where it does not. Read from `/proc/net/tcp`, whose timers count
/// hundredths of a second.
///
/// # Errors
/// If the kernel does not tell, or knows no such connection.
pub async fn keepalive_in(local_port: u16) -> Result<Option<Duration>> {
    // While something is on its way there is another timer.
    for _ in 0..1000 {
        let (kind, left) = timer_of(local_port)?;
        if kind == KEEPALIVE {
            return Ok(Some(left));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}

fn timer_of(local_port: u16) -> Result<(String, Duration)> {
    let table = fs::read_to_string("/proc/net/tcp").map_err(Error::io("read /proc/net/tcp"))?;
    let end = format!(":{local_port:04X}");
    let found = table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (kind, left) = columns.get(5)?.split_once(':')?;
        let left = u64::from_str_radix(left, 16).ok()?;
        let is_ours = columns[1].ends_with(&end);
        is_ours.then(|| (kind.to_owned(), Duration::from_millis(left * 10)))
    });
    found.ok_or_else(|| Error::io("find the connection")(std::io::ErrorKind::NotFound.into()))
}
