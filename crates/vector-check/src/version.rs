use std::fmt;

/// A version that a server reports, as in `1.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// As in **1**.0.0.
    pub major: u32,
    /// As in 1.**0**.0.
    pub minor: u32,
    /// As in 1.0.**0**.
    pub patch: u32,
}

// === impl Version ===

impl Version {
    /// A version.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads the first three numbers; what follows them (`-rc.1`, `.dev12+g0abc`) is left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_start_matches('v').splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let minor = leading_number(parts.next()?)?;
        let patch = parts.next().map_or(Some(0), leading_number)?;
        Some(Self {
            major,
            minor,
            patch,
        })
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, version) in [
            ("1.0.0", Version::new(1, 0, 0)),
            ("0.6.3", Version::new(0, 6, 3)),
            ("0.5.24.dev12+g0abc", Version::new(0, 5, 24)),
            ("1.10.2-rc.1", Version::new(1, 10, 2)),
            ("v2.1", Version::new(2, 1, 0)),
            (" 1.5rc1 ", Version::new(1, 5, 0)),
        ] {
            assert_eq!(Version::parse(text), Some(version), "{text}");
        }
        for text in [
            "",
            "1",
            "latest",
            "1.x.0",
            "1.0.x",
            "99999999999.0.0",
            "é.1.0",
            "1.é",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::new(0, 10, 0) > Version::new(0, 9, 9));
        assert!(Version::new(1, 0, 0) > Version::new(0, 99, 99));
    }
}
