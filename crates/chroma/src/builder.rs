use std::sync::Arc;
use std::time::Duration;

use crate::base_url::BaseUrl;
use crate::{Auth, ChromaClient, DEFAULT_DATABASE, DEFAULT_TENANT, Error};

const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the kernel looks whether the other side is still there, once a connection has been at
/// rest for 15 s.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long sent data may stay unacknowledged before a connection is given up as dead.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Settings of a [`ChromaClient`]; from [`ChromaClient::builder`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    base_url: String,
    tenant: String,
    database: String,
    auth: Auth,
    timeout: Duration,
    connect_timeout: Duration,
    keep_connections: bool,
    max_body_bytes: usize,
    http: Option<reqwest::Client>,
}

// === impl ClientBuilder ===

impl ClientBuilder {
    pub(crate) fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            tenant: DEFAULT_TENANT.to_owned(),
            database: DEFAULT_DATABASE.to_owned(),
            auth: Auth::None,
            timeout: TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            keep_connections: true,
            max_body_bytes: MAX_BODY_BYTES,
            http: None,
        }
    }

    /// The tenant of all database and collection requests; `default_tenant` unless told.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// The database of all collection requests; `default_database` unless told.
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = database.into();
        self
    }

    /// How requests prove who sends them; nothing unless told.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// The time for one request from connecting to the last byte of the answer; 10 s unless told.
    /// Holds for an injected HTTP client too.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The time for connecting; 2 s unless told. An injected HTTP client has its own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Whether connections are used again; yes unless told. Without, each request opens one of its
    /// own and closes it afterwards. An injected HTTP client decides for itself.
    pub fn keep_connections(mut self, keep: bool) -> Self {
        self.keep_connections = keep;
        self
    }

    /// The longest body of an answer that is read; 32 MiB unless told.
    pub fn max_body_bytes(mut self, limit: usize) -> Self {
        self.max_body_bytes = limit;
        self
    }

    /// Uses a ready HTTP client and its connection pool. It should follow no redirects and take no
    /// proxy from the environment, as the client that is built without this does.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Checks the settings and builds the client. Connects to nothing.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`], [`Error::InvalidName`] and [`Error::InvalidAuth`] for settings that
    /// can never work; [`Error::NoCryptoProvider`] and [`Error::BuildClient`] when the HTTP client
    /// cannot be built.
    pub fn build(self) -> Result<ChromaClient, Error> {
        let base_url = BaseUrl::parse(&self.base_url)?;
        base_url.endpoint(&[&self.tenant, &self.database])?;
        self.auth.validate()?;
        let http = match self.http {
            Some(http) => http,
            None => http_client(&base_url, self.connect_timeout, self.keep_connections)?,
        };
        Ok(ChromaClient::from_parts(
            http,
            base_url,
            self.tenant,
            self.database,
            self.auth,
            self.timeout,
            self.max_body_bytes,
        ))
    }
}

fn http_client(
    base_url: &BaseUrl,
    connect_timeout: Duration,
    keep_connections: bool,
) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        .tcp_keepalive_interval(KEEPALIVE_INTERVAL)
        .redirect(reqwest::redirect::Policy::none())
        // The environment is not a library's to read.
        .no_proxy()
        .user_agent(concat!("tria-chroma/", env!("CARGO_PKG_VERSION")));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    {
        builder = builder.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if !keep_connections {
        builder = builder.pool_max_idle_per_host(0);
    }
    if !base_url.is_https() {
        // Without redirects no https is ever spoken, yet the HTTP client would read all trusted
        // roots from disk and panic without a process-wide provider.
        builder = builder.tls_backend_preconfigured(tls_that_trusts_no_one()?);
    } else if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::NoCryptoProvider);
    }
    builder.build().map_err(Error::BuildClient)
}

fn tls_that_trusts_no_one() -> Result<rustls::ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::NoCryptoProvider)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}
