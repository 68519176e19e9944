//! Builds a pool from a database URL.
//!
//! The pool heals itself: a connection is looked at each time before it is handed out, and one
//! that is closed, does not answer, or was left inside a transaction is replaced; with a silent
//! one go all that it may share its fate with. A host that went away is noticed on connections
//! at rest too, within a minute. A server on Linux, from PostgreSQL 14 on, soon ends what a
//! process left behind that died in the middle.

use std::{path::PathBuf, time::Duration};

use deadpool_postgres::{
    BuildError, Manager, ManagerConfig, Pool, PoolConfig, RecyclingMethod, Runtime, Timeouts,
};
use secrecy::SecretString;
use tokio_postgres::{NoTls, config::SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use crate::url::{DatabaseUrl, LeadsElsewhere, UrlError};
use crate::{connect::Connector, recycle, tls};

/// How a pool is built.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The most connections that it opens.
    pub max_size: usize,
    /// How long opening one connection may take, with TLS and login. A `connect_timeout` in the
    /// URL is stronger.
    pub connect_timeout: Duration,
    /// How long to wait for a free connection.
    pub wait_timeout: Duration,
    /// How long a connection may take to show that it is alive before it is handed out.
    pub recycle_timeout: Duration,
    /// How long data sent to the server may stay unacknowledged before a connection is given up
    /// as dead. A value in the URL is stronger.
    pub unacknowledged_timeout: Duration,
    /// What the server's `pg_stat_activity` shows. A value in the URL is stronger.
    pub application_name: Option<String>,
}

/// Why a pool could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolBuildError {
    /// The URL was refused.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The root certificates cannot be read.
    #[error("the root certificates {} cannot be read", path.display())]
    RootCertUnreadable {
        /// The file of `sslrootcert`.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The file holds no certificate in PEM form.
    #[error("{} holds no certificate in PEM form", path.display())]
    RootCertEmpty {
        /// The file of `sslrootcert`.
        path: PathBuf,
    },
    /// A certificate in the file is broken.
    #[error("a root certificate in {} is not valid", path.display())]
    RootCertInvalid {
        /// The file of `sslrootcert`.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The system has no root certificates, and the mode needs some.
    #[error("this system has no root certificates: set sslrootcert in the database URL")]
    NoSystemRoots,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The pool itself.
    #[error("the pool could not be built")]
    Pool(#[source] BuildError),
}

/// Builds a pool from a URL; it opens its first connection when it is first asked for one. Reads
/// the root certificates from disk, so call it while starting, not while serving.
///
/// # Errors
/// The URL or its root certificates are no good.
pub fn build(url: &SecretString, options: &PoolOptions) -> Result<Pool, PoolBuildError> {
    DatabaseUrl::parse(url)?.pool(options)
}

/// A connection at rest is looked after by the kernel from so long on...
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// ... so often.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// What the driver has where the URL says nothing.
const DRIVERS_KEEPALIVE_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

// === impl PoolOptions ===

impl Default for PoolOptions {
    /// Ten connections; 2 s to connect, 5 s to wait for a free one, 2 s to show that it is
    /// alive, 10 s for lost data. A check's own timeout of 3 s is longer than the two that it
    /// meets, so that it can tell which one it was.
    fn default() -> Self {
        Self {
            max_size: 10,
            connect_timeout: Duration::from_secs(2),
            wait_timeout: Duration::from_secs(5),
            recycle_timeout: Duration::from_secs(2),
            unacknowledged_timeout: Duration::from_secs(10),
            application_name: None,
        }
    }
}

impl DatabaseUrl {
    /// Builds a pool; see [`build`].
    ///
    /// # Errors
    /// The root certificates are no good.
    pub fn pool(&self, options: &PoolOptions) -> Result<Pool, PoolBuildError> {
        let (mut config, password) = (self.config.clone(), self.password.clone());
        if let (None, Some(name)) = (config.get_application_name(), &options.application_name) {
            config.application_name(name);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(options.unacknowledged_timeout);
        }
        if config.get_keepalives_idle() == DRIVERS_KEEPALIVE_IDLE {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(KEEPALIVE_INTERVAL);
        }
        let per_host = self.connect_timeout().unwrap_or(options.connect_timeout);
        config.connect_timeout(per_host);
        // The driver's own limit ends with the TCP handshake; the pool's covers the login too.
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
        let timeouts = Timeouts {
            wait: Some(options.wait_timeout),
            create: Some(per_host * u32::try_from(hosts.max(1)).unwrap_or(1)),
            // The look before use has the limit.
            recycle: None,
        };

        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let manager = match tls::client_config(&self.tls, direct)? {
            Some(tls) => {
                let connector = Connector::new(MakeRustlsConnect::new(tls), password);
                Manager::from_connect(config, connector, recycling)
            }
            None => Manager::from_connect(config, Connector::new(NoTls, password), recycling),
        };
        Pool::builder(manager)
            .config(PoolConfig {
                max_size: options.max_size.max(1),
                timeouts,
                ..PoolConfig::default()
            })
            .pre_recycle(recycle::look_before_use(options.recycle_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(PoolBuildError::Pool)
    }
}
