//! All four servers together, and the environment that points a program at them.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    Chroma, ChromaOptions, Error, Installation, ModelServer, ModelServerOptions, Postgres,
    PostgresOptions, Redis, RedisOptions, Result, files, model, port, secret,
};

/// The environment keys a stack gives or, when they are handed in, leaves as they are.
pub const ENVIRONMENT_KEYS: &[&str] = &[
    "DATABASE_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "REDIS_DB",
    "REDIS_TLS",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_EMBEDDING_MODEL",
    "CHROMA_URL",
    "SECRET_KEY",
    "DIAGNOSTICS_TOKEN",
    "TAX_RATE",
    "ENVIRONMENT",
];

/// The application's database on a stack's own server.
const DATABASE: &str = "tria";
/// A rate to try with.
const TAX_RATE: &str = "0.15";

/// What a stack should be like.
#[derive(Clone, Default)]
pub struct StackOptions {
    /// Where data, secrets and ports are kept between runs; none: gone with the stack.
    pub data_dir: Option<PathBuf>,
    /// Environment keys that are set already. A part that they point elsewhere is not started:
    /// `DATABASE_URL`, `REDIS_HOST`, `CHROMA_URL`, and `OPENAI_API_KEY` or `OPENAI_BASE_URL`,
    /// or any of these with `_FILE` behind it.
    pub overrides: BTreeMap<String, String>,
}

/// Running servers; those that were pointed elsewhere are none.
#[derive(Debug)]
pub struct Stack {
    /// The private PostgreSQL, with the application's database in it.
    pub postgres: Option<Postgres>,
    /// The private Redis.
    pub redis: Option<Redis>,
    /// The private ChromaDB.
    pub chroma: Option<Chroma>,
    /// The private model server.
    pub model: Option<ModelServer>,
    secrets: Secrets,
    overrides: BTreeMap<String, String>,
    _lock: Option<File>,
}

/// What a persistent stack remembers.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Secrets {
    redis_password: String,
    api_key: String,
    secret_key: String,
    diagnostics_token: String,
    #[serde(default)]
    ports: BTreeMap<String, u16>,
}

impl Stack {
    /// Starts what is not pointed elsewhere, all at once, and waits until all of it is ready.
    ///
    /// # Errors
    /// The first failure, then what had started is stopped; or when another stack runs on the data.
    pub async fn start(options: StackOptions) -> Result<Self> {
        let installation = Installation::load()?;
        let lock = options.data_dir.as_deref().map(lock).transpose()?;
        let mut secrets = Secrets::load(options.data_dir.as_deref())?;
        let given = |keys: &[&str]| {
            keys.iter().any(|key| {
                options.overrides.contains_key(*key)
                    || options.overrides.contains_key(&format!("{key}_FILE"))
            })
        };
        let data = |name: &str| options.data_dir.as_ref().map(|folder| folder.join(name));
        let again = |name: &str| {
            secrets
                .ports
                .get(name)
                .copied()
                .filter(|port| port::is_free(*port))
        };

        let postgres = start_unless(given(&["DATABASE_URL"]), async {
            let postgres = Postgres::start(PostgresOptions {
                data: data("postgres").map(|wanted| Postgres::data_at(&installation, &wanted)),
                port: again("postgres"),
                // Tests of all crates share it, each with pools of its own.
                settings: vec![("max_connections".into(), "400".into())],
                ..PostgresOptions::default()
            })
            .await?;
            postgres.create_database(DATABASE).await?;
            Ok(postgres)
        });
        let redis = start_unless(
            given(&["REDIS_HOST"]),
            Redis::start(RedisOptions {
                password: Some(secrets.redis_password.clone()),
                config: vec!["maxmemory-policy noeviction".into()],
                data: data("redis"),
                port: again("redis"),
                ..RedisOptions::default()
            }),
        );
        let chroma = start_unless(
            given(&["CHROMA_URL"]),
            Chroma::start(ChromaOptions {
                data: data("chroma"),
                port: again("chroma"),
            }),
        );
        let model = start_unless(
            given(&["OPENAI_API_KEY", "OPENAI_BASE_URL"]),
            ModelServer::start(ModelServerOptions {
                api_key: Some(secrets.api_key.clone()),
                port: again("model"),
            }),
        );
        let (postgres, redis, chroma, model) = tokio::try_join!(postgres, redis, chroma, model)?;

        let ports = [
            ("postgres", postgres.as_ref().map(|server| server.port())),
            ("redis", redis.as_ref().map(|server| server.port())),
            ("chroma", chroma.as_ref().map(|server| server.port())),
            ("model", model.as_ref().map(|server| server.port())),
        ];
        secrets.ports.extend(
            ports
                .into_iter()
                .filter_map(|(name, port)| Some((name.to_owned(), port?))),
        );
        secrets.save(options.data_dir.as_deref())?;
        Ok(Self {
            postgres,
            redis,
            chroma,
            model,
            secrets,
            overrides: options.overrides,
            _lock: lock,
        })
    }

    /// Keys and values that point `tria-server` at this stack; what was handed in is among them.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = BTreeMap::new();
        let mut set = |key: &str, value: String| env.insert(key.to_owned(), value);
        if let Some(postgres) = &self.postgres {
            set("DATABASE_URL", postgres.url(DATABASE));
        }
        if let Some(redis) = &self.redis {
            set("REDIS_HOST", "127.0.0.1".into());
            set("REDIS_PORT", redis.port().to_string());
            set("REDIS_PASSWORD", self.secrets.redis_password.clone());
        } else {
            set("REDIS_PORT", "6379".into());
        }
        if let Some(chroma) = &self.chroma {
            set("CHROMA_URL", chroma.url());
        }
        if let Some(model) = &self.model {
            set("OPENAI_API_KEY", model.api_key().to_owned());
            set("OPENAI_BASE_URL", model.base_url());
            set("OPENAI_MODEL", ModelServer::CHAT_MODEL.into());
            set(
                "OPENAI_EMBEDDING_MODEL",
                ModelServer::EMBEDDING_MODEL.into(),
            );
        }
        set("SECRET_KEY", self.secrets.secret_key.clone());
        set("DIAGNOSTICS_TOKEN", self.secrets.diagnostics_token.clone());
        set("TAX_RATE", TAX_RATE.into());
        set("ENVIRONMENT", "development".into());
        for (key, value) in &self.overrides {
            if let Some(replaced) = key.strip_suffix("_FILE") {
                env.remove(replaced);
            }
            env.insert(key.clone(), value.clone());
        }
        env.into_iter().collect()
    }

    /// Stops every server the way its operators would, all at once.
    pub async fn stop(mut self) {
        async fn stop(server: Option<&mut crate::Server>) {
            if let Some(server) = server {
                server.stop().await;
            }
        }
        tokio::join!(
            stop(self.postgres.as_deref_mut()),
            stop(self.redis.as_deref_mut()),
            stop(self.chroma.as_deref_mut()),
            stop(self.model.as_deref_mut()),
        );
    }

    /// Removes what a stack kept in `data_dir`; gives the folders that are gone.
    ///
    /// # Errors
    /// When a folder cannot be removed, or a stack runs on it.
    pub fn reset(data_dir: &Path) -> Result<Vec<PathBuf>> {
        if !data_dir.exists() {
            return Ok(Vec::new());
        }
        let _lock = lock(data_dir)?;
        let mut folders = vec![data_dir.to_owned()];
        if let Ok(installation) = Installation::load() {
            let postgres = Postgres::data_at(&installation, &data_dir.join("postgres"));
            folders.extend((!postgres.starts_with(data_dir)).then_some(postgres));
        }
        folders.retain(|folder| folder.exists());
        for folder in &folders {
            files::remove_tree(folder)?;
        }
        Ok(folders)
    }
}

impl Secrets {
    fn load(data_dir: Option<&Path>) -> Result<Self> {
        let path = data_dir.map(|folder| folder.join("secrets.json"));
        let kept = path
            .as_ref()
            .and_then(|path| std::fs::read_to_string(path).ok());
        let mut secrets: Self = kept
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let fill = |slot: &mut String, make: &dyn Fn() -> String| {
            if slot.is_empty() {
                *slot = make();
            }
        };
        fill(&mut secrets.redis_password, &|| secret::generate(32));
        fill(&mut secrets.api_key, &model::generate_key);
        fill(&mut secrets.secret_key, &|| secret::generate(48));
        fill(&mut secrets.diagnostics_token, &|| secret::generate(32));
        secrets.save(data_dir)?;
        Ok(secrets)
    }

    fn save(&self, data_dir: Option<&Path>) -> Result<()> {
        let Some(folder) = data_dir else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        secret::write_private(&folder.join("secrets.json"), text.as_bytes())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Secrets")
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StackOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StackOptions")
            .field("data_dir", &self.data_dir)
            .field("overrides", &self.overrides.keys())
            .finish()
    }
}

/// Two stacks on the same data would spoil them. The lock ends with the file, also when we are killed.
fn lock(data_dir: &Path) -> Result<File> {
    files::create(data_dir)?;
    let path = data_dir.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::file("open", &path))?;
    file.try_lock().map_err(|_| Error::InUse {
        folder: data_dir.to_owned(),
    })?;
    Ok(file)
}

async fn start_unless<T>(
    elsewhere: bool,
    start: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    if elsewhere {
        Ok(None)
    } else {
        start.await.map(Some)
    }
}

#[cfg(test)]
mod tests;
