//! What a machine says about itself as soon as we are in. The command then stays: it is what the
//! connection lives for, and ends with us, however we end.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::clock::Timestamp;

/// Takes the engine's socket.
pub(super) const SCRIPT: &str = r#"echo tria-greeting; if [ ! -S "$1" ]; then echo socket missing; elif [ -r "$1" ] && [ -w "$1" ]; then echo socket usable; else echo socket forbidden; fi; if command -v flock >/dev/null 2>&1; then echo flock yes; fi; echo "home $HOME"; echo "state ${XDG_STATE_HOME:-}"; echo "time $(date +%s.%N)"; echo tria-ready; exec cat >/dev/null"#;

/// What it said.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting {
    pub(super) socket: SocketThere,
    pub(super) has_flock: bool,
    pub(super) home: String,
    pub(super) state: String,
    pub(super) time: Timestamp,
}

/// Whether the engine's socket can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SocketThere {
    #[default]
    Missing,
    Forbidden,
    Usable,
}

// === impl Greeting ===

impl Greeting {
    /// Reads until all is said; none if it ends before.
    pub(super) async fn read(from: impl AsyncRead + Unpin) -> Option<Self> {
        let mut from = BufReader::new(from);
        let mut greeting = Self::default();
        // Whatever the user's shell says when it starts comes first.
        let mut begun = false;
        loop {
            let mut line = Vec::new();
            if from.read_until(b'\n', &mut line).await.ok()? == 0 {
                return None;
            }
            let line = String::from_utf8_lossy(&line);
            match line.trim_end().split_once(' ') {
                None if line.trim_end() == "tria-greeting" => begun = true,
                None if begun && line.trim_end() == "tria-ready" => return Some(greeting),
                Some((key, value)) if begun => greeting.take(key, value),
                _ => {}
            }
        }
    }

    fn take(&mut self, key: &str, value: &str) {
        match key {
            "socket" => {
                self.socket = match value {
                    "usable" => SocketThere::Usable,
                    "forbidden" => SocketThere::Forbidden,
                    _ => SocketThere::Missing,
                }
            }
            "flock" => self.has_flock = true,
            "home" => value.clone_into(&mut self.home),
            "state" => value.clone_into(&mut self.state),
            "time" => self.time = moment(value),
            _ => {}
        }
    }
}

/// Seconds and, where `date` knows them, nanoseconds.
fn moment(text: &str) -> Timestamp {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u64 = seconds.parse().unwrap_or_default();
    let nanos: u64 = rest.parse().unwrap_or_default();
    Timestamp::from_millis(
        seconds
            .saturating_mul(1000)
            .saturating_add(nanos / 1_000_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_shell_says_of_itself_does_not_count() {
        let said = "home /nowhere\nWelcome!\ntria-greeting\nsocket usable\nflock yes\nhome /home/o p s\nstate \ntime 1790000000.123456789\ntria-ready\n";
        let greeting = Greeting::read(said.as_bytes()).await.unwrap();
        assert_eq!(greeting.home, "/home/o p s");
        assert_eq!(greeting.socket, SocketThere::Usable);
        assert!(greeting.has_flock);
        assert_eq!(greeting.time.as_millis(), 1_790_000_000_123);
    }

    #[tokio::test]
    async fn one_that_is_cut_is_none() {
        let said = "tria-greeting\nsocket usable\n";
        assert!(Greeting::read(said.as_bytes()).await.is_none());
    }

    #[test]
    fn a_date_without_nanoseconds_will_do() {
        assert_eq!(moment("1790000000.N").as_millis(), 1_790_000_000_000);
        assert_eq!(moment("1790000000").as_millis(), 1_790_000_000_000);
    }
}
