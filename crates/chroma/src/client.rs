use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::base_url::BaseUrl;
use crate::transport;
use crate::{Auth, ClientBuilder, Error};

/// A client of one `ChromaDB` server, bound to a tenant and a database. Cheap to clone; clones share
/// one connection pool.
#[derive(Clone)]
pub struct ChromaClient {
    http: reqwest::Client,
    shared: Arc<Shared>,
}

struct Shared {
    base_url: BaseUrl,
    tenant: String,
    database: String,
    auth: Auth,
    timeout: Duration,
    max_body_bytes: usize,
}

/// The server's word on its own parts (`/healthcheck`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// Queries can be answered.
    pub is_executor_ready: bool,
    /// Writes can be taken.
    pub is_log_client_ready: bool,
}

/// What the server tells clients before they begin (`/pre-flight-checks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PreFlight {
    /// The most records that one write should carry; the server does not enforce it.
    pub max_batch_size: u32,
    /// Whether embeddings may be sent in base64.
    #[serde(default)]
    pub supports_base64_encoding: bool,
}

#[derive(Deserialize)]
struct Heartbeat {
    #[serde(rename = "nanosecond heartbeat")]
    nanoseconds: u64,
}

// === impl Health ===

impl Health {
    /// Whether all parts are ready.
    pub fn is_ready(self) -> bool {
        self.is_executor_ready && self.is_log_client_ready
    }
}

// === impl ChromaClient ===

impl ChromaClient {
    /// A client with default settings.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn new(base_url: &str) -> Result<Self, Error> {
        Self::builder(base_url).build()
    }

    /// Settings, beginning with the server's base URL such as `http://127.0.0.1:8000`; `/api/v2` is
    /// added to it.
    pub fn builder(base_url: &str) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }

    /// The same server and connection pool, another tenant and database.
    ///
    /// # Errors
    /// [`Error::InvalidName`].
    pub fn with_database(&self, tenant: &str, database: &str) -> Result<Self, Error> {
        self.shared.base_url.endpoint(&[tenant, database])?;
        let shared = Shared {
            base_url: self.shared.base_url.clone(),
            tenant: tenant.to_owned(),
            database: database.to_owned(),
            auth: self.shared.auth.clone(),
            timeout: self.shared.timeout,
            max_body_bytes: self.shared.max_body_bytes,
        };
        Ok(Self {
            http: self.http.clone(),
            shared: Arc::new(shared),
        })
    }

    /// The base URL. Holds no credentials; still for operators only, as it names a host.
    pub fn base_url(&self) -> &str {
        self.shared.base_url.url().as_str()
    }

    /// The tenant of all database and collection requests.
    pub fn tenant(&self) -> &str {
        &self.shared.tenant
    }

    /// The database of all collection requests.
    pub fn database(&self) -> &str {
        &self.shared.database
    }

    /// The server's clock as time since the Unix epoch: proves that a `ChromaDB` with the v2 API
    /// answers, and nothing of its data.
    ///
    /// # Errors
    /// Where v2 is missing, one request on v1 tells why: [`Error::ServerTooOld`] when v1 answers,
    /// [`Error::Retired`] when v1 is retired, so that the server is new enough but its v2 paths are
    /// not reached. Otherwise as any request.
    pub async fn heartbeat(&self) -> Result<Duration, Error> {
        match self.heartbeat_at("v2").await {
            Err(
                missing @ Error::Status {
                    status: 404 | 405, ..
                },
            ) => match self.heartbeat_at("v1").await {
                Ok(_) => Err(Error::ServerTooOld),
                Err(Error::Retired) => Err(Error::Retired),
                Err(down) if down.is_transient() => Err(down),
                Err(_) => Err(missing),
            },
            other => other,
        }
    }

    async fn heartbeat_at(&self, version: &str) -> Result<Duration, Error> {
        let url = self.shared.base_url.endpoint(&[version, "heartbeat"])?;
        let heartbeat: Heartbeat = self.get_json(url).await?;
        Ok(Duration::from_nanos(heartbeat.nanoseconds))
    }

    /// The version that the server reports. It is the server's, not the Python package's: package
    /// 1.5.9 reports `1.0.0`.
    ///
    /// # Errors
    /// As any request.
    pub async fn version(&self) -> Result<String, Error> {
        self.get_json(self.endpoint(&["version"])?).await
    }

    /// The server's word on its own parts.
    ///
    /// # Errors
    /// As any request. A server that is not ready answers 503 with the same body: that is `Ok`.
    pub async fn healthcheck(&self) -> Result<Health, Error> {
        let url = self.endpoint(&["healthcheck"])?;
        let response = self.send(Method::GET, url, None::<&()>).await?;
        let status = response.status();
        if status.is_success() {
            let body = transport::read(response, self.max_body_bytes()).await?;
            return self.decode(status.as_u16(), &body);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let body = transport::read(response, self.max_body_bytes()).await?;
            return self
                .decode(status.as_u16(), &body)
                .map_err(|_| Error::status(status.as_u16(), None, None));
        }
        Err(self.refusal(response).await)
    }

    /// What the server tells clients before they begin.
    ///
    /// # Errors
    /// As any request.
    pub async fn pre_flight(&self) -> Result<PreFlight, Error> {
        self.get_json(self.endpoint(&["pre-flight-checks"])?).await
    }

    pub(crate) fn from_parts(
        http: reqwest::Client,
        base_url: BaseUrl,
        tenant: String,
        database: String,
        auth: Auth,
        timeout: Duration,
        max_body_bytes: usize,
    ) -> Self {
        let shared = Shared {
            base_url,
            tenant,
            database,
            auth,
            timeout,
            max_body_bytes,
        };
        Self {
            http,
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn endpoint(&self, segments: &[&str]) -> Result<Url, Error> {
        self.shared.base_url.endpoint(&[&["v2"], segments].concat())
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.shared.auth
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.shared.max_body_bytes
    }
}

impl fmt::Debug for ChromaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChromaClient")
            .field("base_url", &self.shared.base_url)
            .field("tenant", &self.shared.tenant)
            .field("database", &self.shared.database)
            .field("auth", &self.shared.auth)
            .finish_non_exhaustive()
    }
}
