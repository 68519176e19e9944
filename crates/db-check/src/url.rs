//! Reads a database URL, and takes `sslmode` and `sslrootcert` out of it for ourselves: the
//! driver knows neither verification nor roots.

use std::{fmt, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

use crate::{
    Target,
    connect::Password,
    tls::{Roots, TlsPolicy},
};

/// A database URL that was read and understood: `postgres://` or `postgresql://`, with the
/// parameters of libpq that the driver knows, and `sslmode` and `sslrootcert`. Clones share the
/// password, and with it its changes.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: TlsPolicy,
    pub(crate) password: Password,
}

/// Two URLs differ in more than their password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database URL differs in more than its password")]
pub struct LeadsElsewhere;

/// Why a database URL was refused. No text of the URL is in it, since what looks like a host or
/// a parameter may be a piece of a password that was not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("the database URL must begin with postgres:// or postgresql://")]
    Scheme,
    /// An `@` where none may be.
    #[error(
        "the database URL has a bare @, / or ? in its user or password: write it as %40, %2F or %3F"
    )]
    BareCredentials,
    /// There is no host.
    #[error("the database URL names no host")]
    NoHost,
    /// A word for `sslmode` that means nothing here.
    #[error(
        "the sslmode of the database URL is not known: use disable, prefer, require, verify-ca or verify-full"
    )]
    SslMode,
    /// The system's roots with a mode that does not verify the name: anybody has a certificate
    /// from one of them.
    #[error("sslrootcert=system in the database URL needs sslmode=verify-full")]
    SystemRootsNeedVerifyFull,
    /// A direct TLS handshake with a mode that may do without TLS.
    #[error("sslnegotiation=direct in the database URL needs sslmode=require or stricter")]
    DirectNeedsTls,
    /// A parameter that libpq knows, and this driver does not.
    #[error("the database URL has the parameter {0}, which is not supported")]
    Unsupported(&'static str),
    /// A parameter that nobody knows, by its place among the parameters.
    #[error(
        "parameter number {0} of the database URL is not known; a bare & belongs encoded as %26"
    )]
    Unknown(usize),
    /// Anything else, as the driver sees it.
    #[error("the database URL is not valid")]
    Invalid(#[source] tokio_postgres::Error),
}

/// What the driver reads itself.
const DRIVEN: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// What libpq knows besides, to be named when it is met.
const UNSUPPORTED: &[&str] = &[
    "client_encoding",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives_count",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
    "sslsni",
];

// === impl DatabaseUrl ===

impl DatabaseUrl {
    /// Reads a URL. Without `sslmode` it is `prefer`, and `verify-full` with
    /// `sslrootcert=system`, as in libpq. `require` with a root certificate means `verify-ca`.
    /// Where no root certificate is given, the verifying modes trust the system's. Over a Unix
    /// socket there is no TLS, whatever is asked for.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(url: &SecretString) -> Result<Self, UrlError> {
        let url = url.expose_secret();
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(UrlError::Scheme)?;
        refuse_bare_credentials(rest)?;
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let Parameters {
            driven,
            mode,
            roots,
        } = Parameters::read(query)?;

        let mut config: tokio_postgres::Config = format!("postgres://{base}?{driven}")
            .parse()
            .map_err(UrlError::Invalid)?;
        let hosts = config.get_hosts();
        let nameless = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
        if hosts.iter().any(nameless) || (hosts.is_empty() && config.get_hostaddrs().is_empty()) {
            return Err(UrlError::NoHost);
        }
        let mut tls = policy(mode.as_deref(), roots)?;
        if !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_))) {
            tls = TlsPolicy::Disable;
        }
        let driver_mode = match tls {
            TlsPolicy::Disable => SslMode::Disable,
            TlsPolicy::Prefer => SslMode::Prefer,
            TlsPolicy::Require | TlsPolicy::VerifyCa(_) | TlsPolicy::VerifyFull(_) => {
                SslMode::Require
            }
        };
        config.ssl_mode(driver_mode);
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        if direct && driver_mode != SslMode::Require {
            return Err(UrlError::DirectNeedsTls);
        }
        let password = Password::of(&config);
        Ok(Self {
            config,
            tls,
            password,
        })
    }

    /// Takes over the password of `to`: the pools that were built of this URL, or of a clone, log
    /// in with it from now on. Connections that are open stay as they are. Whether it is another
    /// password.
    ///
    /// # Errors
    /// [`LeadsElsewhere`] if the two differ in anything else, or one of them has no password; then
    /// nothing is changed.
    pub fn rotate(&self, to: &Self) -> Result<bool, LeadsElsewhere> {
        let (before, password) = (self.config.get_password(), to.config.get_password());
        let mut here = self.config.clone();
        if let (Some(_), Some(password)) = (before, password) {
            here.password(password);
        }
        if here != to.config || self.tls != to.tls {
            return Err(LeadsElsewhere);
        }
        let is_another = !self.password.is(password);
        self.password.set(password);
        Ok(is_another)
    }

    /// Where it leads, without the password.
    pub fn target(&self) -> Target {
        Target::of(&self.config)
    }

    /// The time that the URL itself allows for connecting.
    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.config.get_connect_timeout().copied()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({}, tls: {:?})", self.target(), self.tls)
    }
}

/// A bare `@`, `/` or `?` in a password moves a piece of it into host, path or parameters, from
/// where it would be shown; each of them leaves an `@` in a place where none belongs.
fn refuse_bare_credentials(rest: &str) -> Result<(), UrlError> {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let all = rest.matches('@').count();
    if all > 1 || authority.matches('@').count() != all {
        return Err(UrlError::BareCredentials);
    }
    Ok(())
}

fn policy(mode: Option<&str>, roots: Option<String>) -> Result<TlsPolicy, UrlError> {
    if roots.as_deref() == Some("system") {
        return match mode {
            None | Some("verify-full") => Ok(TlsPolicy::VerifyFull(Roots::System)),
            Some(_) => Err(UrlError::SystemRootsNeedVerifyFull),
        };
    }
    let file = roots.map(|path| Roots::File(PathBuf::from(path)));
    match mode {
        Some("disable") => Ok(TlsPolicy::Disable),
        None | Some("prefer") => Ok(TlsPolicy::Prefer),
        Some("require") => Ok(file.map_or(TlsPolicy::Require, TlsPolicy::VerifyCa)),
        Some("verify-ca") => Ok(TlsPolicy::VerifyCa(file.unwrap_or(Roots::System))),
        Some("verify-full") => Ok(TlsPolicy::VerifyFull(file.unwrap_or(Roots::System))),
        Some(_) => Err(UrlError::SslMode),
    }
}

/// The query of a URL, divided.
#[derive(Default)]
struct Parameters {
    /// What goes to the driver, as it was written.
    driven: String,
    mode: Option<String>,
    roots: Option<String>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, UrlError> {
        let mut parameters = Self::default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for (index, pair) in pairs.enumerate() {
            let (key, value) = pair.split_once('=').ok_or(UrlError::Unknown(index + 1))?;
            let key = percent_decode_str(key).decode_utf8_lossy();
            let value_text = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match key.as_ref() {
                "sslmode" => parameters.mode = Some(value_text()),
                "sslrootcert" => parameters.roots = Some(value_text()),
                key if DRIVEN.contains(&key) => {
                    parameters.driven.push_str(pair);
                    parameters.driven.push('&');
                }
                key => {
                    let known = UNSUPPORTED.iter().find(|known| **known == key);
                    return Err(known.map_or(UrlError::Unknown(index + 1), |known| {
                        UrlError::Unsupported(known)
                    }));
                }
            }
        }
        Ok(parameters)
    }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
