//! Where a pool leads, without the password.

use std::fmt;

use tokio_postgres::config::Host;

/// Host, port, user and database of a connection: what an operator needs to know, and no secret.
/// For private details only; hosts and users are not for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    hosts: Vec<(String, u16)>,
    user: Option<String>,
    database: Option<String>,
}

// === impl Target ===

impl Target {
    /// The target of a driver's configuration.
    pub fn of(config: &tokio_postgres::Config) -> Self {
        let ports = config.get_ports();
        let port = |index: usize| {
            let port = ports.get(index).or(ports.first());
            port.copied().unwrap_or(5432)
        };
        let name = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        let mut hosts: Vec<String> = config.get_hosts().iter().map(name).collect();
        if hosts.is_empty() {
            let addresses = config.get_hostaddrs().iter();
            hosts = addresses.map(ToString::to_string).collect();
        }
        Self {
            hosts: hosts
                .into_iter()
                .enumerate()
                .map(|(index, host)| (host, port(index)))
                .collect(),
            user: config.get_user().map(str::to_owned),
            database: config.get_dbname().map(str::to_owned),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{host}:{port}")?;
        }
        if let Some(database) = &self.database {
            write!(f, " database {database}")?;
        }
        if let Some(user) = &self.user {
            write!(f, " as {user}")?;
        }
        Ok(())
    }
}
