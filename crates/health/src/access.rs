//! Who may read diagnostics and have checks run.

use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Who may read diagnostics and have checks run on demand. Nobody, unless the service says
/// otherwise: diagnostics name hosts and users.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Nobody.
    #[default]
    Closed,
    /// Whoever sends `Authorization: Bearer <token>`.
    Token(SecretString),
    /// Anybody who reaches the address; for development.
    Open,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Closed,
    NoToken,
    WrongToken,
}

// === impl Access ===

impl Access {
    /// Judges a request. Tokens are compared in a time that does not depend on where they differ.
    pub(crate) fn judge(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let token = match self {
            Self::Open => return Ok(()),
            Self::Closed => return Err(Refused::Closed),
            Self::Token(token) => token.expose_secret(),
        };
        let sent = headers.get(header::AUTHORIZATION).ok_or(Refused::NoToken)?;
        let sent = bearer(sent.as_bytes()).ok_or(Refused::NoToken)?;
        let equal: bool = sent.ct_eq(token.as_bytes()).into();
        // An empty token would open the door to everybody who knocks.
        if equal && !token.is_empty() {
            Ok(())
        } else {
            Err(Refused::WrongToken)
        }
    }
}

/// The token of `Bearer <token>`; the scheme is case-insensitive (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme
        .eq_ignore_ascii_case(SCHEME)
        .then(|| token.trim_ascii())
}

// === impl Refused ===

impl Refused {
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::Closed => "no token is configured, so nobody may ask for this",
            Self::NoToken => "send the header `Authorization: Bearer <token>`",
            Self::WrongToken => "the token is not the one that is configured",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(access: &Access, value: Option<&str>) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        access.judge(&headers)
    }

    #[test]
    fn only_the_configured_token_opens() {
        let access = Access::Token("s3same-0pen".into());
        for good in [
            "Bearer s3same-0pen",
            "bearer s3same-0pen",
            "BEARER  s3same-0pen ",
        ] {
            assert_eq!(asked(&access, Some(good)), Ok(()), "{good}");
        }
        for wrong in [
            "Bearer s3same-0pe",
            "Bearer s3same-0pen-",
            "Bearer ",
            "Bearer S3same-0pen",
        ] {
            assert_eq!(
                asked(&access, Some(wrong)),
                Err(Refused::WrongToken),
                "{wrong}"
            );
        }
        for none in [
            None,
            Some(""),
            Some("s3same-0pen"),
            Some("Basic s3same-0pen"),
        ] {
            assert_eq!(asked(&access, none), Err(Refused::NoToken), "{none:?}");
        }
    }

    #[test]
    fn nothing_is_open_by_accident() {
        assert_eq!(
            asked(&Access::default(), Some("Bearer ")),
            Err(Refused::Closed)
        );
        let empty = Access::Token(String::new().into());
        assert_eq!(asked(&empty, Some("Bearer ")), Err(Refused::WrongToken));
        assert_eq!(asked(&Access::Open, None), Ok(()));
    }
}
