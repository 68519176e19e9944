//! What the service depends on, and how to put something in between.

use tria_devstack::FaultProxy;

use crate::Fixture;

/// One of the servers that the service depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// PostgreSQL.
    Postgres,
    /// Redis or Valkey.
    Redis,
    /// The OpenAI-compatible API.
    Model,
    /// ChromaDB.
    Chroma,
}

// === impl Dependency ===

impl Dependency {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Model => "model API",
            Self::Chroma => "ChromaDB",
        }
    }

    /// What `/health` calls it.
    pub fn service(self) -> &'static str {
        match self {
            Self::Postgres => "database",
            Self::Redis => "redis",
            Self::Model => "openai",
            Self::Chroma => "chromadb",
        }
    }

    /// The key that says where it is.
    fn key(self) -> &'static str {
        match self {
            Self::Postgres => "DATABASE_URL",
            Self::Redis => "REDIS_PORT",
            Self::Model => "OPENAI_BASE_URL",
            Self::Chroma => "CHROMA_URL",
        }
    }
}

// === impl Fixture ===

impl Fixture {
    /// Puts a proxy between the service and one of its dependencies.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn put_proxy_before(&mut self, dependency: Dependency) -> FaultProxy {
        let port = match dependency {
            Dependency::Postgres => self.stack.postgres_port(),
            Dependency::Redis => self.stack.redis_port(),
            Dependency::Model => self.stack.model_port(),
            Dependency::Chroma => self.stack.chroma_port(),
        };
        let proxy = FaultProxy::start(format!("127.0.0.1:{port}"))
            .await
            .expect("a port for the proxy");
        let key = dependency.key();
        let through = match dependency {
            Dependency::Redis => proxy.port().to_string(),
            _ => self.keys[key].replace(&format!("127.0.0.1:{port}"), &proxy.address()),
        };
        self.set(key, through);
        proxy
    }
}
