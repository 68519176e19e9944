//! Everything that `tria-server` needs, of a test's own.

use std::time::Duration;

use tokio_postgres::{Client, Error, NoTls};
use tria_devstack::{ChromaDatabase, Redis, SharedStack, TestDatabase};

use crate::{Ended, Keys, Running, run};

/// A complete environment on the shared stack: a database, a Redis database and a Chroma database
/// that no other test uses. Dropping it removes the database.
pub struct Fixture {
    /// The keys; change them to break something.
    pub keys: Keys,
    /// The stack that it lives on.
    pub stack: SharedStack,
    _database: TestDatabase,
    _chroma: ChromaDatabase,
}

/// A connection to a PostgreSQL.
///
/// # Errors
/// The driver's, if it cannot be had.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

// === impl Fixture ===

impl Fixture {
    /// A complete environment, with an empty database and no collections.
    ///
    /// # Panics
    /// If there is no shared stack.
    pub async fn empty() -> Self {
        let stack = tria_devstack::shared().await.expect("the shared stack");
        let database = stack.fresh_database().await.expect("a database");
        let redis = stack.redis_space().await.expect("a Redis database");
        let chroma = stack.chroma_database().await.expect("a Chroma database");
        let keys = [
            ("DATABASE_URL", database.url().to_owned()),
            ("REDIS_HOST", redis.host),
            ("REDIS_PORT", redis.port.to_string()),
            ("REDIS_PASSWORD", stack.redis_password().to_owned()),
            ("REDIS_DB", redis.database.to_string()),
            ("OPENAI_API_KEY", stack.model_key().to_owned()),
            ("OPENAI_BASE_URL", stack.model_base_url()),
            ("OPENAI_MODEL", stack.chat_model().to_owned()),
            ("OPENAI_EMBEDDING_MODEL", stack.embedding_model().to_owned()),
            ("CHROMA_URL", stack.chroma_url()),
            ("CHROMA_DATABASE", chroma.name().to_owned()),
            ("SECRET_KEY", "k7Qw2Zt9Lx4Vb8Nm1Rc6Yp3Hd5Jf0GsA".to_owned()),
            ("DIAGNOSTICS_TOKEN", "Vx3Kp8Wd2Rn6Ty9Qz4Lm".to_owned()),
            ("TAX_RATE", "0.06".to_owned()),
            ("PORT", "0".to_owned()),
            ("STARTUP_DEADLINE", "2s".to_owned()),
            // It would embed some hundred texts at each start, for messages that never come.
            ("CHAT_WARM_UP", "false".to_owned()),
        ];
        let keys = keys
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Self {
            keys,
            stack,
            _database: database,
            _chroma: chroma,
        }
    }

    /// A complete environment in which the service can start.
    ///
    /// # Panics
    /// If there is no shared stack, or the migration fails.
    pub async fn migrated() -> Self {
        let fixture = Self::empty().await;
        fixture.run(&["migrate"]).expect(0, &["MIGRATION COMPLETE"]);
        fixture
    }

    /// The same on a Redis of its own, that the test may stop and start.
    pub fn on_redis(mut self, redis: &Redis) -> Self {
        self.set("REDIS_PORT", redis.port().to_string());
        self.set("REDIS_DB", "0").unset("REDIS_PASSWORD");
        self
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    /// Takes a key away.
    pub fn unset(&mut self, key: &str) -> &mut Self {
        self.keys.remove(key);
        self
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(arguments, &self.keys)
    }

    /// Starts the service.
    pub fn serve(&self) -> Running {
        Running::serve(&self.keys)
    }

    /// A connection to the database of `DATABASE_URL`.
    ///
    /// # Panics
    /// If it cannot be had.
    pub async fn connect(&self) -> Client {
        let client = connect(&self.keys["DATABASE_URL"]).await;
        client.expect("a connection")
    }

    /// Runs statements on the database.
    ///
    /// # Panics
    /// If they fail.
    pub async fn execute(&self, statements: &str) {
        self.connect()
            .await
            .batch_execute(statements)
            .await
            .expect("the statements run");
    }

    /// The number that a query gives.
    ///
    /// # Panics
    /// If it fails.
    pub async fn count(&self, query: &str) -> i64 {
        self.connect()
            .await
            .query_one(query, &[])
            .await
            .expect("the query runs")
            .get(0)
    }

    /// Asserts that the program left no connection behind, and with none no advisory lock.
    ///
    /// # Panics
    /// If it did.
    pub async fn expect_nothing_left(&self) {
        let left = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name LIKE 'tria-server%'";
        // The server may take a moment to notice that a client is gone.
        for _ in 0..50 {
            if self.count(left).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the program left a connection behind");
    }
}
