//! One OpenAI-compatible API: where it is, the key to it, and the connections to it.

use std::{fmt, sync::Arc, time::Duration};

use async_openai::{
    Client,
    config::{Config, OPENAI_API_BASE, OpenAIConfig},
};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    BaseUrlProblem, TlsError,
    base_url::BaseUrl,
    tls::{client_config, unused_config},
};

/// How often the kernel looks whether the other side is still there, once a connection has been at
/// rest for 15 s.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// How long sent data may stay unacknowledged before a connection is given up as dead: without it,
/// a request on a connection whose other side is gone waits for the whole read timeout.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// How to reach an OpenAI-compatible API. Nothing is taken from the environment unless it is
/// asked for.
#[derive(Clone)]
pub struct EndpointOptions {
    api_key: SecretString,
    base_url: String,
    organization: Option<String>,
    project: Option<String>,
    connect_timeout: Duration,
    read_timeout: Duration,
    environment_proxy: bool,
    keep_connections: bool,
    extra_roots: Vec<u8>,
}

/// One OpenAI-compatible API. Cloning is cheap; clones share their connections.
#[derive(Clone)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

struct Inner {
    config: OpenAIConfig,
    base: BaseUrl,
    http: reqwest::Client,
}

/// Why an endpoint was refused. No text holds the key or the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The base URL is wrong.
    #[error("invalid base URL")]
    BaseUrl(#[from] BaseUrlProblem),
    /// The named value cannot stand in an HTTP header: it holds a line break, a space or a
    /// character outside of ASCII. Often a newline at the end of a key that was read from a file.
    #[error("the {0} holds characters that an HTTP header cannot carry, such as a line break")]
    Header(&'static str),
    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// The HTTP client could not be made.
    #[error("cannot make the HTTP client")]
    Http(#[source] reqwest::Error),
}

// === impl EndpointOptions ===

impl EndpointOptions {
    /// OpenAI's own API with `api_key`, which may be empty for a server that asks for none.
    pub fn new(api_key: impl Into<SecretString>) -> Self {
        Self {
            api_key: api_key.into(),
            base_url: OPENAI_API_BASE.to_owned(),
            organization: None,
            project: None,
            connect_timeout: Duration::from_secs(2),
            read_timeout: Duration::from_secs(60),
            environment_proxy: false,
            keep_connections: true,
            extra_roots: Vec::new(),
        }
    }

    /// Sets the URL up to where `/models` follows, as in `http://127.0.0.1:8080/v1`. A slash at
    /// its end is no matter.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets the organisation that is billed.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Sets the project that is billed.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Sets how long DNS, TCP and TLS may take together (2 s).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long the server may be silent within one answer (60 s: a model thinks before its
    /// first token). Checks end sooner, with their own timeout.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Sets whether `HTTPS_PROXY` and its kin are followed (no). A loopback host is always
    /// reached directly.
    pub fn environment_proxy(mut self, follow: bool) -> Self {
        self.environment_proxy = follow;
        self
    }

    /// Sets whether connections are used again (yes). Without, each call opens one of its own and
    /// closes it afterwards, as [`crate::LoginCheck`] needs it.
    pub fn keep_connections(mut self, keep: bool) -> Self {
        self.keep_connections = keep;
        self
    }

    /// Trusts these root certificates (PEM) besides the system's, for a private authority.
    pub fn extra_roots_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_roots = pem.into();
        self
    }

    /// The endpoint. Nothing is sent yet.
    ///
    /// Redirects are never followed, for the key must not travel to another host, and no TLS
    /// provider needs to be installed first (see [`client_config`]).
    ///
    /// # Errors
    /// When the base URL, the key, the organisation or the project is malformed, or the system
    /// has no root certificates for an `https` URL.
    pub fn build(&self) -> Result<Endpoint, EndpointError> {
        let base = BaseUrl::parse(&self.base_url)?;
        let organization = self.organization.as_deref().unwrap_or_default();
        let project = self.project.as_deref().unwrap_or_default();
        header_safe("API key", self.api_key.expose_secret())?;
        header_safe("organization", organization)?;
        header_safe("project", project)?;

        let tls = if base.is_https() {
            client_config(&self.extra_roots)?
        } else {
            unused_config()?
        };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout)
            .tcp_keepalive_interval(KEEPALIVE_INTERVAL)
            .user_agent(concat!("tria/", env!("CARGO_PKG_VERSION")));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        {
            builder = builder.tcp_user_timeout(UNACKNOWLEDGED);
        }
        if !self.keep_connections {
            builder = builder.pool_max_idle_per_host(0);
        }
        if !self.environment_proxy || base.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(EndpointError::Http)?;

        // Every field is set, for async-openai's defaults come from the environment.
        let config = OpenAIConfig::new()
            .with_api_base(base.as_str())
            .with_api_key(self.api_key.expose_secret())
            .with_org_id(organization)
            .with_project_id(project);
        Ok(Endpoint::new(config, base, http))
    }
}

impl fmt::Debug for EndpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointOptions").finish_non_exhaustive()
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// An endpoint over an HTTP client of the caller's, who answers for its timeouts, proxy and
    /// TLS, for its following no redirects, and for a project that a header can carry:
    /// async-openai keeps that to itself and panics otherwise. Secrets in additional headers are
    /// not known here, and not taken out of what a server echoes.
    ///
    /// # Errors
    /// When the configuration's base URL, key or organisation is malformed.
    pub fn from_parts(config: OpenAIConfig, http: reqwest::Client) -> Result<Self, EndpointError> {
        let base = BaseUrl::parse(config.api_base())?;
        header_safe("API key", config.api_key().expose_secret())?;
        header_safe("organization", config.org_id())?;
        let config = config.with_api_base(base.as_str());
        Ok(Self::new(config, base, http))
    }

    /// A client of async-openai over the same connections.
    pub fn client(&self) -> Client<OpenAIConfig> {
        Client::build(self.inner.http.clone(), self.inner.config.clone())
    }

    /// Whether a key was given.
    pub fn api_key_set(&self) -> bool {
        !self.secret().is_empty()
    }

    fn new(config: OpenAIConfig, base: BaseUrl, http: reqwest::Client) -> Self {
        let inner = Inner { config, base, http };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Where the API is, and the key to it, for those who send their requests by themselves.
    pub fn config(&self) -> &OpenAIConfig {
        &self.inner.config
    }

    /// The HTTP client, for those who send their requests by themselves. Clones share their
    /// connections.
    pub fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.inner.base
    }

    pub(crate) fn secret(&self) -> &str {
        self.inner.config.api_key().expose_secret()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &self.inner.base.as_str())
            .field("api_key_set", &self.api_key_set())
            .finish_non_exhaustive()
    }
}

/// async-openai panics on a value that no header can carry.
fn header_safe(name: &'static str, value: &str) -> Result<(), EndpointError> {
    let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && HeaderValue::from_str(value).is_ok() {
        Ok(())
    } else {
        Err(EndpointError::Header(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-planted-0123456789abcdef";

    #[test]
    fn a_client_needs_no_process_wide_tls_provider() {
        let none = || rustls::crypto::CryptoProvider::get_default().is_none();
        assert!(
            none(),
            "another test installed a provider: this one proves nothing"
        );
        for base in ["http://127.0.0.1:1/v1", "https://api.openai.com/v1"] {
            let endpoint = EndpointOptions::new(KEY).base_url(base).build().unwrap();
            let _client = endpoint.client();
        }
        assert!(none());
    }

    #[test]
    fn what_no_header_can_carry_is_refused_without_being_shown() {
        let broken = format!("{KEY}\n");
        let options = EndpointOptions::new(broken.as_str());
        let text = format!("{0:?} {0}", options.build().unwrap_err());
        assert!(text.contains("API key") && !text.contains(KEY), "{text}");
        let config = OpenAIConfig::new()
            .with_api_key(broken)
            .with_api_base("http://h/v1");
        let http = EndpointOptions::new(KEY).build().unwrap().http().clone();
        assert!(Endpoint::from_parts(config, http).is_err());
        let options = EndpointOptions::new(KEY).organization("org\n");
        assert!(matches!(
            options.build(),
            Err(EndpointError::Header("organization"))
        ));
        let options = EndpointOptions::new(KEY).project("proj 1");
        assert!(matches!(
            options.build(),
            Err(EndpointError::Header("project"))
        ));
    }

    #[test]
    fn debug_shows_no_key() {
        let options = EndpointOptions::new(KEY);
        let endpoint = options.build().unwrap();
        let shown = format!("{options:?} {endpoint:?} {:?}", endpoint.client());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
