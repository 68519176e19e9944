//! Databases on a server, and those that go with their test.

use tokio_postgres::{Client, NoTls};

use crate::{Error, Result, cleanup};

/// A database of one test; dropped with this value, or by [`Self::close`].
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: Option<String>,
}

impl TestDatabase {
    /// The superuser's URL of this database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops it now, ending whatever is still connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn close(mut self) -> Result<()> {
        match self.admin_url.take() {
            Some(admin_url) => drop_database(&admin_url, &self.name).await,
            None => Ok(()),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(admin_url) = self.admin_url.take() else {
            return;
        };
        let name = std::mem::take(&mut self.name);
        cleanup::run("a test database", async move {
            drop_database(&admin_url, &name).await
        });
    }
}

impl std::fmt::Debug for TestDatabase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TestDatabase")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Creates a database with a name of its own.
pub(crate) async fn create(
    admin_url: &str,
    url: impl FnOnce(&str) -> String,
) -> Result<TestDatabase> {
    let name = format!("test_{}_{:016x}", std::process::id(), fastrand::u64(..));
    with_client(admin_url, async |client| {
        client
            .batch_execute(&format!("CREATE DATABASE {}", quoted(&name)))
            .await
    })
    .await
    .map_err(Error::database("create a test database"))?;
    Ok(TestDatabase {
        url: url(&name),
        name,
        admin_url: Some(admin_url.to_owned()),
    })
}

pub(crate) async fn create_if_missing(admin_url: &str, name: &str) -> Result<()> {
    with_client(admin_url, async |client| {
        let there = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await?;
        if there.is_none() {
            client
                .batch_execute(&format!("CREATE DATABASE {}", quoted(name)))
                .await?;
        }
        Ok(())
    })
    .await
    .map_err(Error::database("create a database"))
}

async fn drop_database(admin_url: &str, name: &str) -> Result<()> {
    with_client(admin_url, async |client| {
        client
            .batch_execute(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                quoted(name)
            ))
            .await
    })
    .await
    .map_err(Error::database("drop a test database"))
}

async fn with_client(
    url: &str,
    work: impl AsyncFnOnce(&Client) -> std::result::Result<(), tokio_postgres::Error>,
) -> std::result::Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let result = work(&client).await;
    drop(client);
    // Its end is the server's goodbye; waiting for it keeps the session from lingering.
    let _ = connection.await;
    result
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
