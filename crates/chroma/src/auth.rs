use std::fmt;

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::Error;

const TOKEN_HEADER: &str = "x-chroma-token";
const WITHHELD: &str = "[withheld]";

/// How requests prove who sends them. `ChromaDB` 1.x itself asks for nothing; a proxy in front of
/// it, a hosted one or an older one may.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// No header.
    #[default]
    None,
    /// `Authorization: Bearer <token>`.
    Bearer(SecretString),
    /// `X-Chroma-Token: <token>`, the header of hosted Chroma.
    ChromaToken(SecretString),
    /// `Authorization: Basic`, as proxies ask for it.
    Basic {
        /// The user name; must hold no `:`.
        user: String,
        /// The password.
        password: SecretString,
    },
}

// === impl Auth ===

impl Auth {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let sendable = match self {
            Self::None => true,
            Self::Bearer(token) | Self::ChromaToken(token) => {
                let token = token.expose_secret();
                !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Self::Basic { user, .. } => !user.contains(':'),
        };
        if sendable {
            Ok(())
        } else {
            Err(Error::InvalidAuth)
        }
    }

    /// A text of the server with what this client sent taken out: some error pages repeat the
    /// request. Must see the text before it is cut, or half a token would stay.
    pub(crate) fn redact(&self, text: String) -> String {
        let secret = match self {
            Self::None => return text,
            // Sent in base64, whose every alignment would have to be searched for.
            Self::Basic { .. } => return WITHHELD.to_owned(),
            Self::Bearer(token) | Self::ChromaToken(token) => token.expose_secret(),
        };
        text.replace(secret, "[redacted]")
    }

    pub(crate) fn apply(&self, request: RequestBuilder) -> Result<RequestBuilder, Error> {
        Ok(match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer_auth(token.expose_secret()),
            Self::ChromaToken(token) => {
                let mut value =
                    HeaderValue::from_str(token.expose_secret()).map_err(|_| Error::InvalidAuth)?;
                value.set_sensitive(true);
                request.header(TOKEN_HEADER, value)
            }
            Self::Basic { user, password } => {
                request.basic_auth(user, Some(password.expose_secret()))
            }
        })
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(..)",
            Self::ChromaToken(_) => "ChromaToken(..)",
            Self::Basic { .. } => "Basic(..)",
        })
    }
}
