//! Whose request it is, where proxies stand in front.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header in which a proxy appends the address that it was asked by.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The addresses of proxies whose word is taken for the client's address. Nobody's by default:
/// anyone can write a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text is no list of addresses and networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network like 172.16.0.0/12")]
pub struct NotANetwork(String);

// === impl TrustedProxies ===

impl TrustedProxies {
    /// The client's address: the last one in the chain that is no trusted proxy's.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        // Proxies append, so that the nearest is the last; one header may be split into several.
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let addresses = values.flat_map(|value| value.to_str().unwrap_or("").rsplit(','));
        for address in addresses {
            if !self.trust(client) {
                break;
            }
            let Some(address) = address_in(address) else {
                break;
            };
            client = address;
        }
        client
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// As in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn address_in(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.parse::<IpAddr>().ok();
    let address = plain.or_else(|| {
        let with_port = text.parse::<std::net::SocketAddr>().ok();
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        with_port
            .map(|address| address.ip())
            .or_else(|| bare?.parse().ok())
    })?;
    Some(address.to_canonical())
}

impl FromStr for TrustedProxies {
    type Err = NotANetwork;

    /// Addresses and networks, separated by commas.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let network = part.parse::<IpNet>().ok();
            let network = network.or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
            network.ok_or_else(|| NotANetwork(part.to_owned()))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<String> = self.0.iter().map(IpNet::to_string).collect();
        f.write_str(&networks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(client("", "192.0.2.9", &["203.0.113.1"]), "192.0.2.9");
        assert_eq!(
            client("10.0.0.0/8", "192.0.2.9", &["203.0.113.1"]),
            "192.0.2.9"
        );
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        let proxies = "10.0.0.0/8, 2001:db8::1";
        for (peer, forwarded, expected) in [
            ("10.0.0.1", &["203.0.113.1"][..], "203.0.113.1"),
            // Whatever the client wrote itself stands before what the proxy appended.
            ("10.0.0.1", &["1.1.1.1, 203.0.113.1"], "203.0.113.1"),
            (
                "10.0.0.1",
                &["1.1.1.1", "203.0.113.1, 10.0.0.2"],
                "203.0.113.1",
            ),
            ("2001:db8::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("::ffff:10.0.0.1", &["203.0.113.1:9"], "203.0.113.1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
        ] {
            assert_eq!(client(proxies, peer, forwarded), expected, "{forwarded:?}");
        }
    }

    #[test]
    fn a_list_is_judged() {
        let error = "10.0.0.0/8, nonsense"
            .parse::<TrustedProxies>()
            .unwrap_err();
        assert!(error.to_string().starts_with("\"nonsense\" is neither"));
        assert!("10.0.0.0/40".parse::<TrustedProxies>().is_err());
    }
}
