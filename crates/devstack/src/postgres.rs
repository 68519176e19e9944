//! A private PostgreSQL.

mod data;
mod database;

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;
use tokio_postgres::{NoTls, error::SqlState};

use crate::{
    Error, Installation, Result, command,
    files::RunFolder,
    server::{Recipe, Server},
};

pub use self::database::TestDatabase;
pub(crate) use self::{data::folder as data_folder, database::create as create_test_database};

/// What a private PostgreSQL should be like.
#[derive(Clone, Default)]
pub struct PostgresOptions {
    /// The superuser's password; none: the clone's own generated one.
    pub password: Option<String>,
    /// Server settings, as in `("max_connections", "5")`.
    pub settings: Vec<(String, String)>,
    /// Serve TLS. Only where [`Installation::postgres_has_tls`].
    pub tls: Option<Tls>,
    /// Stay in recovery, as a standby does.
    pub recovery: Option<Recovery>,
    /// Where data are kept, safely; none: gone with the server, and written without waiting for the disk.
    pub data: Option<PathBuf>,
    /// A fixed port; none: a free one.
    pub port: Option<u16>,
}

/// A certificate to serve with.
#[derive(Clone)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: String,
    /// Refuse connections without TLS.
    pub required: bool,
}

/// How a server that stays in recovery treats clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Answers read-only queries.
    ReadOnly,
    /// Refuses every connection as one that is still starting up does (57P03).
    NotAccepting,
}

/// A running PostgreSQL; see [`Server`] for stop, restart and pause.
pub struct Postgres {
    server: Server,
    password: Arc<str>,
    // After the server, so that it is gone when the folder is removed.
    _folder: RunFolder,
}

impl Postgres {
    /// The superuser's name.
    pub const USER: &str = "postgres";

    /// Starts a server and waits until it answers a query.
    ///
    /// # Errors
    /// When the stack is not set up, or the server does not become ready.
    pub async fn start(options: PostgresOptions) -> Result<Self> {
        let installation = Installation::load()?;
        let found = installation.postgres.clone();
        let folder = RunFolder::create(&found.home.join("run"))?;
        let data = options
            .data
            .clone()
            .unwrap_or_else(|| folder.path().join("data"));
        let port = options.port;
        let options = Arc::new(options);
        let prepared = tokio::task::spawn_blocking({
            let (found, options, data) = (found.clone(), Arc::clone(&options), data.clone());
            move || data::prepare(&found, &options, &data)
        });
        let password: Arc<str> = prepared
            .await
            .map_err(|error| Error::io("prepare a data folder")(error.into()))??
            .into();

        let recipe = Recipe {
            name: "PostgreSQL",
            log: folder.path().join("postgres.log"),
            command: Box::new({
                let options = Arc::clone(&options);
                move |port| {
                    let mut command =
                        command::server(found.bin.join("postgres"), found.account.as_ref());
                    command.arg("-D").arg(&data).current_dir(&data);
                    for (name, value) in settings(&options, port) {
                        command.arg("-c").arg(format!("{name}={value}"));
                    }
                    Ok((command, None))
                }
            }),
            probe: Box::new({
                let password = Arc::clone(&password);
                move |port| {
                    let (options, password) = (Arc::clone(&options), Arc::clone(&password));
                    Box::pin(async move { probe(port, &password, &options).await })
                }
            }),
            stop: Signal::INT,
            grace: Duration::from_secs(20),
            // Backends are in groups of their own; only the postmaster ends them all.
            quick_stop: Signal::QUIT,
        };
        Ok(Self {
            server: Server::start(recipe, port).await?,
            password,
            _folder: folder,
        })
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The superuser's URL of one database.
    pub fn url(&self, database: &str) -> String {
        url(self.server.port(), &self.password, database)
    }

    /// Creates an empty database unless it is there, and gives its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_database(&self, name: &str) -> Result<String> {
        database::create_if_missing(&self.url("postgres"), name).await?;
        Ok(self.url(name))
    }

    /// Where a data folder meant for `wanted` lies: there, or, when we are root and PostgreSQL's
    /// account cannot enter it, in the clone's folder outside.
    pub(crate) fn data_at(installation: &Installation, wanted: &Path) -> PathBuf {
        data_folder(&installation.postgres, wanted)
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Postgres {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Postgres")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PostgresOptions")
            .field("settings", &self.settings)
            .field("recovery", &self.recovery)
            .field("data", &self.data)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

pub(crate) fn url(port: u16, password: &str, database: &str) -> String {
    format!(
        "postgres://{}:{password}@127.0.0.1:{port}/{database}",
        Postgres::USER
    )
}

fn settings(options: &PostgresOptions, port: u16) -> Vec<(String, String)> {
    let mut settings = vec![
        ("listen_addresses", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("unix_socket_directories", String::new()),
    ];
    if options.data.is_none() {
        settings.extend(
            ["fsync", "synchronous_commit", "full_page_writes"]
                .map(|name| (name, "off".to_owned())),
        );
    }
    if options.tls.is_some() {
        settings.push(("ssl", "on".to_owned()));
    }
    if let Some(recovery) = options.recovery {
        let hot = if recovery == Recovery::ReadOnly {
            "on"
        } else {
            "off"
        };
        settings.push(("hot_standby", hot.to_owned()));
    }
    let mut settings: Vec<_> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    // Last, since the last value of a setting counts.
    settings.extend(options.settings.iter().cloned());
    settings
}

async fn probe(
    port: u16,
    password: &str,
    options: &PostgresOptions,
) -> std::result::Result<(), String> {
    let refusal = match tokio_postgres::connect(&url(port, password, "postgres"), NoTls).await {
        Ok((client, connection)) => {
            let connection = tokio::spawn(connection);
            let answer = client.simple_query("SELECT 1").await;
            connection.abort();
            return answer.map(|_| ()).map_err(|error| error.to_string());
        }
        Err(error) => error,
    };
    let code = refusal.code();
    let is_wanted = (options.recovery == Some(Recovery::NotAccepting)
        && code == Some(&SqlState::CANNOT_CONNECT_NOW))
        || (options.tls.as_ref().is_some_and(|tls| tls.required)
            && code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION));
    if is_wanted {
        Ok(())
    } else {
        Err(refusal.to_string())
    }
}

#[cfg(test)]
mod tests;
