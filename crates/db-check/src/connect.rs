//! Opens the connections of a pool.

use std::{pin::Pin, sync::Arc};

use arc_swap::ArcSwapOption;
use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, Error, Socket,
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_util::task::AbortOnDropHandle;

/// Opens connections that log in with the password as it is then, and whose server notices soon
/// when this process is gone.
pub(crate) struct Connector<T> {
    tls: T,
    password: Password,
}

/// The password of a URL, which may change while pools use it. Clones are the same password.
#[derive(Clone, Default)]
pub(crate) struct Password {
    current: Arc<ArcSwapOption<Vec<u8>>>,
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

/// A server that works on a statement looks at its client only when this says so (PostgreSQL 14
/// and newer, on Linux); without it, a transaction whose client has died goes on holding its locks
/// until the statement is done. Asks for nothing that an older server does not know.
const NOTICE_GONE: &str = "
SELECT set_config(name, '500ms', false) FROM pg_catalog.pg_settings
 WHERE name = 'client_connection_check_interval'";

// === impl Password ===

impl Password {
    /// The password of a driver's configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let password = Self::default();
        password.set(config.get_password());
        password
    }

    pub(crate) fn set(&self, password: Option<&[u8]>) {
        self.current
            .store(password.map(|password| Arc::new(password.to_vec())));
    }

    pub(crate) fn is(&self, password: Option<&[u8]>) -> bool {
        let current = self.current.load();
        current.as_ref().map(|current| current.as_slice()) == password
    }

    fn put_into(&self, config: &mut Config) {
        if let Some(current) = &*self.current.load() {
            config.password(current.as_slice());
        }
    }
}

// === impl Connector ===

impl<T> Connector<T> {
    pub(crate) fn new(tls: T, password: Password) -> Self {
        Self { tls, password }
    }
}

impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let (mut config, tls) = (config.clone(), self.tls.clone());
        self.password.put_into(&mut config);
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            let connection = AbortOnDropHandle::new(tokio::spawn(async move {
                // Whoever uses the connection next is told.
                let _ = connection.await;
            }));
            match client.simple_query(NOTICE_GONE).await {
                // Other systems than Linux refuse the setting, and are no worse for it.
                Err(error) if error.as_db_error().is_none() || client.is_closed() => Err(error),
                _ => Ok((client, connection.detach())),
            }
        })
    }
}
