//! What a deployment must know of the machine itself.

use std::net::{Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use tokio::net::lookup_host;

use super::Remote;
use crate::{
    machine::{Machine, Way},
    outcome::chain,
};

/// Tables of sockets: the fourth column is the state, and `0A` listens.
const LISTENING: &str = r"cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; exit 0";

const FREE: &str = r#"df -Pk "$1""#;

/// A machine without `getent` says so by a code that no answer of it has.
const RESOLVE: &str =
    r#"command -v getent >/dev/null 2>&1 || exit 44; getent ahosts "$1" >/dev/null"#;

const NO_GETENT: i32 = 44;

pub(super) async fn free_bytes(remote: &Remote, folder: &str) -> Option<u64> {
    let answer = remote.run(FREE, &[folder], &[]).await.ok()?;
    available(&String::from_utf8_lossy(&answer.stdout))
}

#[async_trait]
impl Machine for Remote {
    async fn way_to(&self, address: SocketAddr) -> Option<Way> {
        let address = match address {
            // Everywhere is not a place to go to.
            SocketAddr::V4(all) if all.ip().is_unspecified() => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, all.port()))
            }
            address => address,
        };
        self.way(address).await.ok().map(Way::Socket)
    }

    async fn port_is_free(&self, port: u16) -> bool {
        // The engine itself refuses one that is taken; to be told before is a kindness.
        let Ok(answer) = self.run(LISTENING, &[], &[]).await else {
            return true;
        };
        !listens(&String::from_utf8_lossy(&answer.stdout), port)
    }

    async fn resolves(&self, host: &str) -> bool {
        match self.run(RESOLVE, &[host], &[]).await {
            Ok(answer) if answer.code != NO_GETENT => answer.code == 0,
            _ => lookup_host((host, 443))
                .await
                .is_ok_and(|mut found| found.next().is_some()),
        }
    }

    async fn trouble(&self) -> Option<String> {
        self.loss().await.map(|loss| chain(&loss))
    }
}

fn available(table: &str) -> Option<u64> {
    let line = table.lines().nth(1)?;
    let kibibytes: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

fn listens(table: &str, port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    table.lines().any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().unwrap_or_default();
        local.ends_with(&wanted) && columns.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_disk_is_understood() {
        let table = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n/dev/vda1        51290592  31000000  17652000      64% /\n";
        assert_eq!(available(table), Some(17_652_000 * 1024));
        assert_eq!(available(""), None);
    }

    #[test]
    fn a_port_is_taken_by_who_listens_and_not_by_who_talks() {
        let table = "  sl  local_address rem_address   st tx_queue\n   0: 00000000:1F90 00000000:0000 0A 00000000\n   1: 0100007F:0050 0100007F:9C40 01 00000000\n";
        assert!(listens(table, 8080));
        assert!(!listens(table, 80));
        let table = "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0\n";
        assert!(listens(table, 80));
    }
}
