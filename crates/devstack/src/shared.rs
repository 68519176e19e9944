//! The stack that all tests of a run share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    ChromaDatabase, Error, Result, Stack, TestDatabase, Workspace, postgres,
    redis::{DATABASES, Session},
    secret,
};

const ALIVE_WITHIN: Duration = Duration::from_secs(5);

/// A running stack that somebody else holds.
#[derive(Clone, Serialize, Deserialize)]
pub struct SharedStack {
    owner: u32,
    postgres_port: u16,
    postgres_password: String,
    redis_port: u16,
    redis_password: String,
    chroma_port: u16,
    model_port: u16,
    model_key: String,
    env: Vec<(String, String)>,
}

/// A numbered Redis database of one test, empty when handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSpace {
    /// `127.0.0.1`.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The number to SELECT, from 1.
    pub database: u32,
    /// A prefix that no other test uses, for tests that cannot select a database.
    pub prefix: String,
}

/// The stack's entry in the clone; removed when dropped.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
}

/// The stack that `cargo xtask test` or `cargo xtask stack` holds for this clone.
///
/// # Errors
/// [`Error::NoSharedStack`] when there is none, or it does not answer.
pub async fn shared() -> Result<SharedStack> {
    SharedStack::find(&Workspace::current()).await
}

/// Makes `stack` the one that tests of `workspace` share, until the result is dropped.
///
/// # Errors
/// When the stack lacks a part, or the file cannot be written.
pub fn publish(workspace: &Workspace, stack: &Stack) -> Result<Published> {
    let (Some(postgres), Some(redis), Some(chroma), Some(model)) =
        (&stack.postgres, &stack.redis, &stack.chroma, &stack.model)
    else {
        return Err(Error::NoSharedStack {
            reason: "a part of it runs elsewhere".into(),
        });
    };
    let env = stack.env();
    let redis_password = env
        .iter()
        .find(|(key, _)| key == "REDIS_PASSWORD")
        .map(|(_, value)| value.clone());
    let shared = SharedStack {
        owner: std::process::id(),
        postgres_port: postgres.port(),
        postgres_password: postgres.password().to_owned(),
        redis_port: redis.port(),
        redis_password: redis_password.unwrap_or_default(),
        chroma_port: chroma.port(),
        model_port: model.port(),
        model_key: model.api_key().to_owned(),
        env,
    };
    let path = place(workspace);
    secret::write_private(
        &path,
        serde_json::to_string_pretty(&shared)
            .unwrap_or_default()
            .as_bytes(),
    )?;
    Ok(Published { path })
}

impl SharedStack {
    /// The stack that tests of `workspace` share.
    ///
    /// # Errors
    /// [`Error::NoSharedStack`] when there is none, or it does not answer.
    pub async fn find(workspace: &Workspace) -> Result<Self> {
        let path = place(workspace);
        let none = |reason: String| Error::NoSharedStack { reason };
        let text = fs::read_to_string(&path).map_err(|_| none("none is running".into()))?;
        let shared: Self = serde_json::from_str(&text)
            .map_err(|_| none(format!("{} is of another version", path.display())))?;
        if Path::new("/proc/self").exists()
            && !Path::new("/proc").join(shared.owner.to_string()).exists()
        {
            return Err(none(format!(
                "its owner, process {}, is gone",
                shared.owner
            )));
        }
        let ports = [
            ("PostgreSQL", shared.postgres_port),
            ("Redis", shared.redis_port),
            ("ChromaDB", shared.chroma_port),
            ("the model server", shared.model_port),
        ];
        for (name, port) in ports {
            if !matches!(
                timeout(ALIVE_WITHIN, TcpStream::connect(("127.0.0.1", port))).await,
                Ok(Ok(_))
            ) {
                return Err(none(format!("{name} does not answer on port {port}")));
            }
        }
        Ok(shared)
    }

    /// The process that holds it.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// The superuser's URL of the `postgres` database.
    pub fn postgres_url_admin(&self) -> String {
        self.postgres_url("postgres")
    }

    /// The superuser's URL of one database.
    pub fn postgres_url(&self, database: &str) -> String {
        postgres::url(self.postgres_port, &self.postgres_password, database)
    }

    /// An empty database of this test's own.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn fresh_database(&self) -> Result<TestDatabase> {
        postgres::create_test_database(&self.postgres_url_admin(), |name| self.postgres_url(name))
            .await
    }

    /// PostgreSQL's port on 127.0.0.1.
    pub fn postgres_port(&self) -> u16 {
        self.postgres_port
    }

    /// The superuser's password; its name is [`crate::Postgres::USER`].
    pub fn postgres_password(&self) -> &str {
        &self.postgres_password
    }

    /// Redis' port on 127.0.0.1.
    pub fn redis_port(&self) -> u16 {
        self.redis_port
    }

    /// Redis' password.
    pub fn redis_password(&self) -> &str {
        &self.redis_password
    }

    /// `redis://` with the password, for one numbered database.
    pub fn redis_url(&self, database: u32) -> String {
        format!(
            "redis://:{}@127.0.0.1:{}/{database}",
            self.redis_password, self.redis_port
        )
    }

    /// A numbered database of this test's own, emptied.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub async fn redis_space(&self) -> Result<RedisSpace> {
        let lost = || Error::io("reserve a Redis database");
        let mut session = Session::open(self.redis_port).await.map_err(lost())?;
        session
            .ask(&["AUTH", &self.redis_password])
            .await
            .map_err(lost())?;
        // Counted on the server, since tests run in many processes.
        let answer = session
            .ask(&["INCR", "devstack:reserved"])
            .await
            .map_err(lost())?;
        let unexpected = |answer: String| Error::Answer {
            action: "reserve a Redis database",
            answer,
        };
        let count: u32 = answer
            .strip_prefix(':')
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| unexpected(answer.clone()))?;
        let database = 1 + count % (DATABASES - 1);
        session
            .ask(&["SELECT", &database.to_string()])
            .await
            .map_err(lost())?;
        let answer = session.ask(&["FLUSHDB"]).await.map_err(lost())?;
        if answer != "+OK" {
            return Err(unexpected(answer));
        }
        let prefix = format!("test:{}:{count}:", std::process::id());
        Ok(RedisSpace {
            host: "127.0.0.1".into(),
            port: self.redis_port,
            database,
            prefix,
        })
    }

    /// ChromaDB's port on 127.0.0.1.
    pub fn chroma_port(&self) -> u16 {
        self.chroma_port
    }

    /// `http://127.0.0.1:port` of ChromaDB.
    pub fn chroma_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.chroma_port)
    }

    /// An empty Chroma database of this test's own, in the tenant `default_tenant`.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub async fn chroma_database(&self) -> Result<ChromaDatabase> {
        ChromaDatabase::create(self.chroma_port).await
    }

    /// `http://127.0.0.1:port/v1` of the model server.
    pub fn model_base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.model_port)
    }

    /// The model server's port on 127.0.0.1.
    pub fn model_port(&self) -> u16 {
        self.model_port
    }

    /// The key the model server wants.
    pub fn model_key(&self) -> &str {
        &self.model_key
    }

    /// The chat model's id.
    pub fn chat_model(&self) -> &str {
        self.value("OPENAI_MODEL")
    }

    /// The embedding model's id; its vectors have [`crate::ModelServer::EMBEDDING_DIMENSIONS`].
    pub fn embedding_model(&self) -> &str {
        self.value("OPENAI_EMBEDDING_MODEL")
    }

    /// The environment that points `tria-server` at the stack's own database.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    fn value(&self, key: &str) -> &str {
        let found = self.env.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value)
    }
}

impl std::fmt::Debug for SharedStack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SharedStack")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.file("test-stack.json")
}
