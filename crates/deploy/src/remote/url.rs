//! Which machine is meant.

use std::{fmt, str::FromStr};

use super::RemoteError;

/// A machine as the command line names it: `ssh://user@server:port`, of which only the server must
/// be there. The rest is what the configuration of ssh says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostUrl {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

// === impl HostUrl ===

impl HostUrl {
    /// The user there.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The name or address, or what the configuration of ssh calls it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for HostUrl {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let rest = text.strip_prefix("ssh://").ok_or(RemoteError::Url)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(RemoteError::Password),
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, rest),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(place) => {
                let (host, after) = place.split_once(']').ok_or(RemoteError::Url)?;
                let port = match after.strip_prefix(':') {
                    None if after.is_empty() => None,
                    port => Some(port.ok_or(RemoteError::Url)?),
                };
                (host, port)
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = port.map(str::parse::<u16>).transpose();
        let port = port.map_err(|_| RemoteError::Url)?;
        let is_bracketed = place.starts_with('[');
        if !is_plain(host, is_bracketed) || user.as_deref().is_some_and(|it| !is_plain(it, false)) {
            return Err(RemoteError::Url);
        }
        Ok(Self {
            user,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for HostUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(formatter, "[{}]", self.host)?;
        } else {
            formatter.write_str(&self.host)?;
        }
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Nothing that ssh, or a shell on the way, could take for something else.
fn is_plain(text: &str, is_address: bool) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"._-".contains(&byte)
            || (is_address && b":%".contains(&byte))
    };
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_with_or_without_user_and_port() {
        for (text, user, host, port) in [
            ("ssh://server", None, "server", None),
            (
                "ssh://ops@server.example:2222",
                Some("ops"),
                "server.example",
                Some(2222),
            ),
            (
                "ssh://ops@[2001:db8::7]:22",
                Some("ops"),
                "2001:db8::7",
                Some(22),
            ),
            ("ssh://[::1]", None, "::1", None),
        ] {
            let url: HostUrl = text.parse().unwrap();
            assert_eq!((url.user(), url.host(), url.port()), (user, host, port));
            assert_eq!(url.to_string(), text);
        }
        assert_eq!("ssh://server/".parse::<HostUrl>().unwrap().host(), "server");
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_refused() {
        for text in [
            "server",
            "tcp://server",
            "ssh://",
            "ssh://@server",
            "ssh://-oProxyCommand=x",
            "ssh://-x@server",
            "ssh://a b",
            "ssh://server;reboot",
            "ssh://server:",
            "ssh://server:70000",
            "ssh://server/folder",
            "ssh://[::1]22",
            "ssh://::1",
            "ssh://$(id)@server",
        ] {
            assert!(
                matches!(text.parse::<HostUrl>(), Err(RemoteError::Url)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = "ssh://ops:s3cret-value@server".parse::<HostUrl>();
        let error = error.unwrap_err();
        assert!(matches!(error, RemoteError::Password));
        let told = format!("{error} {error:?} {}", error.remedy());
        assert!(!told.contains("s3cret"), "{told}");
    }
}
