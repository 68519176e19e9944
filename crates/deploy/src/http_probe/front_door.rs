//! Where the service is reached from outside.

use std::net::{IpAddr, SocketAddr};

/// The front door: a URL, and which machine it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontDoor {
    /// Without a path, as in `https://chat.example.com`.
    pub url: String,
    /// The name in it and the address that it is taken to lead to. A name that leads elsewhere, or
    /// to a balancer, would have another machine tested.
    pub resolve: Option<(String, SocketAddr)>,
    /// The name that a certificate is needed for.
    pub domain: Option<String>,
}

/// The address of a site is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("SITE_ADDRESS {address:?} is neither a name, as in chat.example.com, nor :80")]
pub struct NoSite {
    /// The address.
    pub address: String,
}

// === impl FrontDoor ===

impl FrontDoor {
    /// The door of a proxy on that machine, whose site has that address: `:80`, `name`,
    /// `http://name`, or several names, of which the first counts.
    ///
    /// # Errors
    /// If the address has another form.
    pub fn new(site: &str, machine: IpAddr, http: u16, https: u16) -> Result<Self, NoSite> {
        let address = site.trim();
        let first = address.split([',', ' ']).next().unwrap_or_default();
        let refused = || NoSite {
            address: address.to_owned(),
        };
        if first.is_empty() || first == ":80" || first == "http://" {
            let url = with_port(
                "http",
                &SocketAddr::new(machine, http).ip().to_string(),
                http,
            );
            return Ok(Self {
                url,
                resolve: None,
                domain: None,
            });
        }
        let (scheme, name) = first.split_once("://").unwrap_or(("https", first));
        let is_name = name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || ".-".contains(letter));
        let port = match scheme {
            "http" => http,
            "https" => https,
            _ => return Err(refused()),
        };
        if name.is_empty() || !is_name {
            return Err(refused());
        }
        Ok(Self {
            url: with_port(scheme, name, port),
            resolve: Some((name.to_owned(), SocketAddr::new(machine, port))),
            domain: (scheme == "https").then(|| name.to_owned()),
        })
    }
}

impl<T: Into<String>> From<T> for FrontDoor {
    fn from(url: T) -> Self {
        Self {
            url: url.into(),
            resolve: None,
            domain: None,
        }
    }
}

fn with_port(scheme: &str, host: &str, port: u16) -> String {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn door(site: &str) -> FrontDoor {
        FrontDoor::new(site, MACHINE, 8080, 443).unwrap()
    }

    #[test]
    fn a_site_without_a_name_is_reached_by_the_port_of_the_machine() {
        for site in [":80", "", " :80 "] {
            assert_eq!(door(site), FrontDoor::from("http://127.0.0.1:8080"));
        }
        let usual = FrontDoor::new(":80", MACHINE, 80, 443).unwrap();
        assert_eq!(usual.url, "http://127.0.0.1");
    }

    #[test]
    fn a_name_is_asked_on_the_machine_of_the_engine() {
        let door = door("chat.example.com, www.example.com");
        assert_eq!(door.url, "https://chat.example.com");
        assert_eq!(door.domain.as_deref(), Some("chat.example.com"));
        let (name, address) = door.resolve.unwrap();
        assert_eq!(
            (name.as_str(), address.to_string()),
            ("chat.example.com", "127.0.0.1:443".into())
        );
    }

    #[test]
    fn a_name_without_tls_needs_no_certificate() {
        let door = door("http://chat.example.com");
        assert_eq!(door.url, "http://chat.example.com:8080");
        assert_eq!(door.domain, None);
        assert_eq!(door.resolve.unwrap().1.port(), 8080);
    }

    #[test]
    fn anything_else_is_refused() {
        for site in ["ftp://a", "https://", "a/b", "a:8443"] {
            let refused = FrontDoor::new(site, MACHINE, 80, 443);
            assert!(refused.is_err(), "{site}");
        }
    }
}
