//! A pool whose failures can be told apart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use deadpool_redis::{
    BuildError, Hook, HookError, Manager, Pool, PoolConfig, Runtime, Timeouts,
    redis::{
        AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
        ProtocolVersion, RedisConnectionInfo, RedisError, TlsCertificates, cmd,
        io::tcp::{TcpSettings, socket2::TcpKeepalive},
    },
};
use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem, pem::PemObject},
};

use crate::password::{LogIn, Password};

use crate::recycle;

/// How long sent data may stay unacknowledged before a connection is given up as dead.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Where a Redis is, and how to reach it. Its `Debug` hides the password.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// A host name or an IP address.
    pub host: String,
    /// A port.
    pub port: u16,
    /// The ACL user; none: `default`.
    pub username: Option<String>,
    /// The password, which may be changed later; none: no authentication.
    pub password: Option<Password>,
    /// The database's number (0).
    pub db: u32,
    /// Whether to speak TLS, as `rediss://` stands for (no).
    pub tls: bool,
    /// A PEM file with the only authorities whose certificates are accepted; none: the system's.
    pub ca_file: Option<PathBuf>,
    /// The most connections that are open at a time (10).
    pub max_size: usize,
    /// How long opening a connection may take, with name resolution, TLS and authentication (2 s).
    pub connect_timeout: Duration,
    /// How long the answer to one command may take (2 s).
    pub response_timeout: Duration,
    /// How long to wait for a connection while all are in use (2 s).
    pub acquire_timeout: Duration,
}

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildPoolError {
    /// The file of authorities cannot be read.
    #[error("cannot read the certificate authorities for redis in {}", .path.display())]
    ReadAuthorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of authorities is not PEM.
    #[error("invalid certificate authorities for redis in {}", .path.display())]
    InvalidAuthorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The file of authorities names none, so that every handshake would fail.
    #[error("no certificate authority for redis in {}", .path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// The driver refused the options.
    #[error("invalid redis options")]
    Options(#[source] RedisError),
    /// The pool could not be built.
    #[error("cannot build the redis pool")]
    Pool(#[source] BuildError),
}

// === impl RedisOptions ===

impl RedisOptions {
    /// Database 0 at `host` and `port`, without password and TLS.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            username: None,
            password: None,
            db: 0,
            tls: false,
            ca_file: None,
            max_size: 10,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(2),
            acquire_timeout: Duration::from_secs(2),
        }
    }

    fn connection_info(&self) -> Result<ConnectionInfo, BuildPoolError> {
        let address = if self.tls {
            ConnectionAddr::TcpTls {
                host: self.host.clone(),
                port: self.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(self.host.clone(), self.port)
        };
        // The driver keeps the server's own words about a failed set-up only of HELLO, and only
        // when HELLO is all that it sends: with more, a server that has too many clients is told
        // as a closed connection; in RESP2 every refusal is told as a wrong password.
        let mut settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_skip_set_lib_name();
        // With a password, both are given by it at each login.
        if let (Some(username), None) = (&self.username, &self.password) {
            settings = settings.set_username(username);
        }
        let info = address
            .into_connection_info()
            .map_err(BuildPoolError::Options)?
            .set_redis_settings(settings)
            .set_tcp_settings(tcp_settings());
        match &self.ca_file {
            Some(path) if self.tls => {
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(read_authorities(path)?),
                };
                let client = Client::build_with_tls(info, certificates);
                let client = client.map_err(BuildPoolError::Options)?;
                Ok(client.get_connection_info().clone())
            }
            _ => Ok(info),
        }
    }
}

/// Builds a pool of at most `max_size` connections; nothing is connected yet.
///
/// A connection is tested with PING before it is handed out again, and replaced when it is
/// broken, so that the pool heals by itself after a restart of the server; with a silent one go
/// all that it may share its fate with. A host that went away is noticed on connections at rest
/// too, within a minute.
///
/// A connection logs in with the password as it is then; see [`Password::rotate`].
///
/// Connections speak RESP3, which Redis has since version 6. They do not announce the name of
/// the client's library.
///
/// With TLS, the driver takes rustls' provider of the process, and panics at the first handshake
/// where none is installed and the binary holds none or several. Hence, with `tls`, this
/// installs ring for the process, unless a provider is installed already.
///
/// # Errors
/// When the authorities cannot be read, or the driver refuses the options.
pub fn build_pool(options: &RedisOptions) -> Result<Pool, BuildPoolError> {
    if options.tls && CryptoProvider::get_default().is_none() {
        // It fails only when another thread was quicker, which is as good.
        let _ = ring::default_provider().install_default();
    }
    let mut connecting = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(options.connect_timeout))
        .set_response_timeout(Some(options.response_timeout));
    if let Some(password) = &options.password {
        let log_in = LogIn::new(options.username.as_deref(), password);
        connecting = connecting.set_credentials_provider(log_in);
    }
    let manager = Manager::new_with_config(options.connection_info()?, connecting)
        .map_err(BuildPoolError::Options)?;
    let mut config = PoolConfig::new(options.max_size);
    config.timeouts = Timeouts {
        wait: Some(options.acquire_timeout),
        // Name resolution, TCP, TLS and HELLO have the driver's limit, SELECT that of a command.
        create: None,
        recycle: None,
    };
    let mut builder = Pool::builder(manager)
        .config(config)
        .pre_recycle(recycle::look_before_use(options.response_timeout))
        .runtime(Runtime::Tokio1);
    if options.db != 0 {
        builder = builder.post_create(select(options.db));
    }
    builder.build().map_err(BuildPoolError::Pool)
}

/// Lets the kernel notice that the other side is gone, also where nobody waits for data.
fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED);
    settings
}

/// Switches a new connection to database `db`.
fn select(db: u32) -> Hook {
    Hook::async_fn(move |connection, _| {
        Box::pin(async move {
            let select = cmd("SELECT").arg(db).exec_async(connection).await;
            select.map_err(HookError::Backend)
        })
    })
}

/// Reads and judges the file now: the driver would find it wanting at the first handshake only.
fn read_authorities(path: &Path) -> Result<Vec<u8>, BuildPoolError> {
    let path_buf = || path.to_path_buf();
    let text = fs::read(path).map_err(|source| BuildPoolError::ReadAuthorities {
        path: path_buf(),
        source,
    })?;
    let mut certificates = 0;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        certificate.map_err(|source| BuildPoolError::InvalidAuthorities {
            path: path_buf(),
            source,
        })?;
        certificates += 1;
    }
    if certificates == 0 {
        return Err(BuildPoolError::NoAuthority { path: path_buf() });
    }
    Ok(text)
}
