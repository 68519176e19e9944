//! What can go wrong with a machine that is reached by ssh, and what to do about it.

/// A machine cannot be used, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The URL is not one of a machine.
    #[error("the host must be written as ssh://user@server or ssh://user@server:port")]
    Url,
    /// There is a password in the URL.
    #[error("the host has a password in it, which everybody on this machine could read")]
    Password,
    /// The engine's socket is not a whole path.
    #[error("the socket of the engine must be a whole path without a colon")]
    SocketPath,
    /// There is no `ssh` here.
    #[error("ssh cannot be started")]
    NoClient(#[source] std::io::Error),
    /// The name leads nowhere.
    #[error("the name of the server leads to no address")]
    UnknownHost(#[source] Said),
    /// Nobody answers there.
    #[error("the server does not answer")]
    Unreachable(#[source] Said),
    /// It closed the connection before anything was said.
    #[error("the server turned the connection away")]
    TurnedAway(#[source] Said),
    /// Its key is not known here.
    #[error("the key of the server is not known here")]
    HostKeyUnknown(#[source] Said),
    /// Its key is another one than before.
    #[error("the key of the server is not the one that it had before")]
    HostKeyChanged(#[source] Said),
    /// It does not take our key.
    #[error("the server takes none of your keys")]
    KeyRefused(#[source] Said),
    /// It gave us no shell.
    #[error("the server let us in but runs no command for us")]
    NoShell(#[source] Said),
    /// It did not do in time what it had to.
    #[error("the server did not answer in time")]
    Deadline,
    /// There is no engine.
    #[error("no container engine listens at its socket on the server")]
    NoEngine,
    /// There is one that we may not use.
    #[error("the user on the server may not use its container engine")]
    EngineForbidden,
    /// Its socket is there, and who connects is turned away: nobody listens, or it is not
    /// forwarded. The server tells the two apart in its own log only.
    #[error("the socket of the container engine on the server takes no connection")]
    EngineClosed,
    /// It allows too few commands at once.
    #[error("the server runs no further command over the same connection")]
    NoSession(#[source] Said),
    /// A program is missing there.
    #[error("the server has no flock")]
    NoFlock,
    /// The connection is over.
    #[error("the connection to the server ended")]
    Lost(#[source] Said),
    /// A command there failed.
    #[error("a command on the server ended with {code}")]
    Command {
        /// Its code.
        code: i32,
        /// What it wrote.
        #[source]
        source: Said,
    },
    /// Something here failed.
    #[error("the connection to the server cannot be used")]
    Local(#[source] std::io::Error),
}

/// What ssh, or a command on the server, wrote last.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(String);

/// The lines of it that are told.
const TAIL: usize = 3;

// === impl RemoteError ===

impl RemoteError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Url => "correct `--host`",
            Self::Password => "leave it out of `--host`; ssh logs in with keys",
            Self::SocketPath => "correct `--engine`",
            Self::NoClient(_) => "install the client of OpenSSH",
            Self::UnknownHost(_) => "correct the name, or add it to the configuration of ssh",
            Self::Unreachable(_) => {
                "see that the server runs, that its port is right, and that no firewall is between"
            }
            Self::TurnedAway(_) => {
                "the server has too many connections that are not logged in (MaxStartups) or bars your address; wait a minute and try again"
            }
            Self::HostKeyUnknown(_) => {
                "log in once by hand with `ssh`, compare the key that it shows with the server's own, and accept it"
            }
            Self::HostKeyChanged(_) => {
                "find out why before anything else: somebody may be between; only if the server was made anew, remove the old key with `ssh-keygen -R`"
            }
            Self::KeyRefused(_) => {
                "add your public key to `~/.ssh/authorized_keys` there, and load a key that has a passphrase into the agent with `ssh-add`; nobody is asked for a password"
            }
            Self::NoShell(_) => {
                "give the user there a shell such as /bin/sh, without a forced command"
            }
            Self::Deadline => {
                "see that the server and the way to it are not overloaded, then run the command again"
            }
            Self::NoEngine => {
                "install and start the engine on the server, or name its socket with `--engine unix:///path`"
            }
            Self::EngineForbidden => {
                "add the user to the group of the socket on the server (`usermod -aG docker USER`), then log in anew"
            }
            Self::EngineClosed => {
                "see that the engine runs on the server (`docker info`), and that its sshd_config does not limit forwarding by `AllowStreamLocalForwarding`, `AllowTcpForwarding` or `PermitOpen`"
            }
            Self::NoSession(_) => "set `MaxSessions 10` in the server's sshd_config",
            Self::NoFlock => "install util-linux on the server",
            Self::Lost(_) => "run the command again: it goes on from where this one was",
            Self::Command { .. } => {
                "see that the folder of the state on the server belongs to the user, and that its disk is not full"
            }
            Self::Local(_) => {
                "see that the folder for temporary files is not full, then run the command again"
            }
        }
    }

    /// Why ssh ended before it was connected, from what it wrote.
    pub(super) fn from_ssh(text: &str) -> Self {
        let said = Said::tail(text);
        let text = text.to_ascii_lowercase();
        let has = |any: &[&str]| any.iter().any(|part| text.contains(part));
        if has(&["could not resolve hostname"]) {
            Self::UnknownHost(said)
        } else if has(&["host identification has changed"]) {
            Self::HostKeyChanged(said)
        } else if has(&["host key verification failed"]) {
            Self::HostKeyUnknown(said)
        } else if has(&[
            "permission denied",
            "authentication failures",
            "authentication methods",
        ]) {
            Self::KeyRefused(said)
        } else if has(&[
            "connection refused",
            "timed out",
            "no route to host",
            "unreachable",
        ]) {
            Self::Unreachable(said)
        } else if has(&["kex_exchange", "connection closed", "connection reset"]) {
            Self::TurnedAway(said)
        } else {
            Self::NoShell(said)
        }
    }
}

// === impl Said ===

impl Said {
    pub(super) fn tail(text: &str) -> Self {
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            // That one of the ways led to nobody is no reason for anything else.
            .filter(|line| !line.is_empty() && !line.starts_with("channel "))
            .collect();
        if lines.is_empty() {
            return Self("nothing more is known".into());
        }
        Self(lines[lines.len().saturating_sub(TAIL)..].join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_writes_is_understood() {
        for (text, expected) in [
            (
                "ssh: Could not resolve hostname x: Name or service not known",
                "UnknownHost",
            ),
            (
                "ssh: connect to host x port 22: Connection refused",
                "Unreachable",
            ),
            (
                "ssh: connect to host x port 22: Connection timed out",
                "Unreachable",
            ),
            (
                "ops@x: Permission denied (publickey,password).",
                "KeyRefused",
            ),
            ("Host key verification failed.", "HostKeyUnknown"),
            (
                "@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\nHost key verification failed.",
                "HostKeyChanged",
            ),
            (
                "kex_exchange_identification: Connection closed by remote host\nConnection closed by x port 22",
                "TurnedAway",
            ),
            ("This account is currently not available.", "NoShell"),
        ] {
            let told = format!("{:?}", RemoteError::from_ssh(text));
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }
}
