//! Misspelt keys.

use strsim::osa_distance;

/// The candidate that `key` is most likely a misspelling of, if one is close enough.
pub(crate) fn nearest<'a>(
    key: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let key = folded(key);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&key, &folded(candidate))?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether a key is one that Kubernetes or Docker sets for a service of the same network
/// (`REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR`), see
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>.
pub(crate) fn is_service_link(key: &str, value: Option<&str>) -> bool {
    let is_port = |part: &str| {
        let mut parts = part.split('_');
        let digits = parts.next().unwrap_or_default();
        let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        numeric && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
    };
    key.ends_with("_SERVICE_HOST")
        || key.ends_with("_SERVICE_PORT")
        || key.contains("_SERVICE_PORT_")
        || key.split("_PORT_").skip(1).any(is_port)
        || (key.ends_with("_PORT") && value.is_some_and(is_link))
}

/// Whether a value is an address as service links have it.
pub(crate) fn is_link(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}

/// The edits between two folded keys, where they are close: one edit in five characters, and
/// three at most; in keys of up to three characters none but the case.
fn distance(one: &str, other: &str) -> Option<usize> {
    let (one_length, other_length) = (one.chars().count(), other.chars().count());
    let longer = one_length.max(other_length);
    let most = match longer {
        0..=3 => 0,
        4..=9 => 1,
        _ => (longer / 5).min(3),
    };
    // The difference in length is a lower bound, and spares comparing what is very long.
    if one_length.abs_diff(other_length) > most || longer > 256 {
        return None;
    }
    Some(osa_distance(one, other)).filter(|distance| *distance <= most)
}

fn folded(key: &str) -> String {
    key.to_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::{is_service_link, nearest};

    const KNOWN: [&str; 8] = [
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_PASSWORD",
        "REDIS_DB",
        "OPENAI_API_KEY",
        "TAX_RATE",
        "PORT",
        "HOST",
    ];

    #[test]
    fn close_keys_are_found() {
        for (typed, meant) in [
            ("REDIS_PASWORD", "REDIS_PASSWORD"),
            ("REDIS_PASSWROD", "REDIS_PASSWORD"),
            ("redis_password", "REDIS_PASSWORD"),
            ("REDIS-HOST", "REDIS_HOST"),
            ("REDIS_HSOT", "REDIS_HOST"),
            ("OPENAI_APIKEY", "OPENAI_API_KEY"),
            ("TAXRATE", "TAX_RATE"),
            ("port", "PORT"),
        ] {
            assert_eq!(nearest(typed, KNOWN), Some(meant), "{typed}");
        }
    }

    #[test]
    fn far_keys_are_not() {
        for typed in [
            "",
            "REDIS",
            "REDIS_URL",
            "REDIS_TIMEOUT",
            "PATH",
            "HOME",
            "OPENAI_ORG_ID",
            "PRT",
            "É",
        ] {
            let found = nearest(typed, KNOWN);
            // PATH and PORT differ in two of four letters.
            assert_eq!(found.filter(|_| typed != "PRT"), None, "{typed}");
        }
        assert_eq!(nearest(&"X".repeat(100_000), KNOWN), None);
    }

    #[test]
    fn service_links_are_told_from_typing_errors() {
        for key in [
            "REDIS_SERVICE_HOST",
            "REDIS_SERVICE_PORT",
            "REDIS_SERVICE_PORT_CLIENT",
            "REDIS_PORT_6379_TCP",
            "REDIS_PORT_6379_TCP_ADDR",
        ] {
            assert!(is_service_link(key, None), "{key}");
        }
        assert!(is_service_link(
            "REDIS_MASTER_PORT",
            Some("tcp://10.0.0.1:6379")
        ));
        for key in [
            "REDIS_PORT",
            "REDIS_PORT_",
            "REDIS_PORTS",
            "REDIS_PORT_X_TCP",
        ] {
            assert!(!is_service_link(key, Some("6379")), "{key}");
        }
    }
}
